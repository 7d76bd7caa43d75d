"""The exported module of a policy that does not mix."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Seeded
from autoaug.functional.steps import augment_samples
from autoaug.modalities.image.pixels import as_batch, as_float, as_type, check_inputs


class Augment(Seeded):
    """The policy: takes images ``[B, C, H, W]``, or a single one ``[C, H, W]``, uint8 or in [0, 1] (values outside by
    at most 1e-3 are clamped); returns the same shape and type, each image augmented independently. With labels, it
    returns ``(images, labels)``.
    """

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        batch = check_inputs(as_batch(images))
        with torch.autocast(batch.device.type, enabled=False):  # 16-bit coordinates are too coarse
            augmented = augment_samples(as_float(batch), self.generator)
        augmented = as_type(augmented, images.dtype).view(images.shape)
        return augmented if labels is None else (augmented, labels)
