"""The exported transform for torchvision: boxes, masks and key-points move with the image."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torchvision import tv_tensors

from autoaug.drawing import Table, draw_operations
from autoaug.exporters.runtime.apply import OPERATORS, apply_operations
from autoaug.exporters.runtime.seeded import Seeded
from autoaug.following import extend, follow
from autoaug.pixels import as_float, as_type

LAYERS: Table = []


def movement_of(choice: Tensor, magnitude: Tensor, draws: Tensor, size: tuple[int, int]) -> list[Tensor]:
    """Where the drawn operations ``[S]`` of one image of `size` move its pixels."""
    movement: list[Tensor] = []
    for index, value, chances in zip(choice.tolist(), magnitude.double(), draws.double(), strict=True):
        if index >= 0 and OPERATORS[index][0] in ("warp", "field"):
            _, function, limit = OPERATORS[index]
            extend(movement, function((value * limit)[None], chances[None], size)[0])
    return movement


class Augment(Seeded):
    """The policy as a transform beside those of ``torchvision.transforms.v2``: images ``[B, C, H, W]``, or one
    ``[C, H, W]``, uint8 or in [0, 1], to the same shape and type, each with operators of its own.

    With targets it returns ``(images, targets)``: in nested lists, tuples and dicts, ``tv_tensors`` of boxes, masks and
    key-points move with their image, all else stays. The targets of a batch are a tensor of labels, or a list of the
    targets of each image.
    """

    def forward(self, images: Tensor, targets: Any = None) -> Any:
        batch = images if images.ndim == 4 else images[None]
        choice, magnitude, draws = draw_operations(LAYERS, len(batch), self.generator)
        augmented = apply_operations(as_float(batch.as_subclass(Tensor)), choice, magnitude, draws)
        augmented = as_type(augmented, images.dtype).view(images.shape)
        result = tv_tensors.wrap(augmented, like=images) if isinstance(images, tv_tensors.TVTensor) else augmented
        if targets is None:
            return result
        if type(targets) is Tensor:
            return result, targets
        size = images.shape[-2], images.shape[-1]
        moved = [
            follow(movement_of(choice[:, i], magnitude[:, i], draws[:, i], size), target, size)
            for i, target in enumerate(targets if images.ndim == 4 else [targets])
        ]
        return result, moved if images.ndim == 4 else moved[0]
