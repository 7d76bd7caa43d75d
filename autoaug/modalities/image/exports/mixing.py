"""The exported module of a policy that mixes images and labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.functional.bounds import check_classes
from autoaug.functional.labels import soft_labels
from autoaug.functional.sampling import Seeded
from autoaug.functional.steps import augment_samples
from autoaug.modalities.image.mixing import draw_mixing, label_share, mix_pairs
from autoaug.modalities.image.pixels import as_batch, as_float, as_type, check_inputs

MIXING: tuple[tuple[int, int], float, float] = ((1, 1), 1.0, 1.0)


class Augment(Seeded):
    """The policy: takes images ``[B, C, H, W]``, uint8 or in [0, 1] (values outside by at most 1e-3 are clamped), and
    labels ``[B]`` or ``[B, classes]``; returns images of the same shape and type and soft labels ``[B, classes]``.

    Class indices need the number of `classes`. With 0 `classes`, labels are numbers ``[B, numbers]``, which are mixed
    as they are.
    """

    def __init__(self, seed: int | None = None, classes: int | None = None) -> None:
        super().__init__(seed)
        self.classes = check_classes(classes)

    def forward(self, images: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        if as_batch(images).ndim != images.ndim:
            raise ValueError("this policy mixes images; pass a batch with labels, not a single image")
        batch, generator = check_inputs(as_batch(images)), self.generator
        soft = soft_labels(labels, self.classes, len(batch))
        with torch.autocast(batch.device.type, enabled=False):  # 16-bit coordinates are too coarse
            augmented = augment_samples(as_float(batch), generator)
            mode, partner, weight, place = draw_mixing(*MIXING, len(batch), generator)
            mixed = mix_pairs(augmented, augmented[partner.to(batch.device)], mode, weight, place)
        own = label_share(mode, weight, place, batch.shape[-2], batch.shape[-1]).to(soft)
        return as_type(mixed, images.dtype), torch.lerp(soft[partner.to(soft.device)], soft, own[:, None])
