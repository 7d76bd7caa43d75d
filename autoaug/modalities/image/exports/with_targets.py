"""The exported transform for torchvision, which moves boxes, masks and keypoints with the image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors

from autoaug.functional.containers import of_each, with_parts
from autoaug.functional.sampling import Seeded, Table, draw_operations
from autoaug.modalities.image.annotations import extend, follow
from autoaug.modalities.image.exports.apply import OPERATORS, apply_operations
from autoaug.modalities.image.pixels import as_batch, as_float, as_type, check_inputs

LAYERS: Table = []


def movement_of(choice: Tensor, magnitude: Tensor, uniforms: Tensor, size: tuple[int, int]) -> list[Tensor]:
    """The movement of the pixels of one image of `size` by its drawn operations ``[S]``."""
    movement: list[Tensor] = []
    for index, value, chances in zip(choice.tolist(), magnitude.double(), uniforms.double(), strict=True):
        if index >= 0 and OPERATORS[index][0] in ("warp", "field"):
            _, function, limit = OPERATORS[index]
            extend(movement, function((value * limit)[None], chances[None], size)[0])
    return movement


class Augment(Seeded):
    """The policy as a transform like those of ``torchvision.transforms.v2``: takes images ``[B, C, H, W]``, or a single
    one ``[C, H, W]``, uint8 or in [0, 1] (values outside by at most 1e-3 are clamped); returns the same shape and type,
    each image augmented independently.

    With targets, it returns ``(images, targets)``: in nested lists, tuples, dicts and dataclasses, ``tv_tensors`` of
    boxes, masks and keypoints move with their image; everything else is kept. The targets of a batch are a tensor of
    labels, or a list with the targets of each image.
    """

    def forward(self, images: Tensor, targets: Any = None) -> Any:
        batch, alone = check_inputs(as_batch(images)), images.ndim == 3
        labels = targets is None or (type(targets) is Tensor and not alone)
        each = [] if labels else [targets] if alone else of_each(targets, len(batch))
        choice, magnitude, uniforms = draw_operations(LAYERS, len(batch), self.generator)
        with torch.autocast(batch.device.type, enabled=False):  # 16-bit coordinates are too coarse
            augmented = apply_operations(as_float(batch), choice, magnitude, uniforms)
        augmented = as_type(augmented, images.dtype).view(images.shape)
        result = tv_tensors.wrap(augmented, like=images) if isinstance(images, tv_tensors.TVTensor) else augmented
        if targets is None:
            return result
        if labels:
            return result, targets
        size = batch.shape[-2], batch.shape[-1]
        moved = [
            follow(movement_of(choice[:, i], magnitude[:, i], uniforms[:, i], size), target, size)
            for i, target in enumerate(each)
        ]
        return result, moved[0] if alone else with_parts(targets, moved)
