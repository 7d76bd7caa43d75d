"""The exported module of a policy that does not mix."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Seeded
from autoaug.modalities.image.exports.steps import augment_samples
from autoaug.modalities.image.pixels import as_batch, as_float, as_type, check_inputs


class Augment(Seeded):
    """The policy: images ``[B, C, H, W]``, or one ``[C, H, W]``, uint8 or in [0, 1] (what lies outside by
    at most 1e-3 is clamped), to the same shape and type, each with operators of its own. With labels it returns
    ``(images, labels)``.
    """

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        batch = check_inputs(as_batch(images))
        with torch.autocast(batch.device.type, enabled=False):  # coordinates in 16 bits move pixels
            augmented = augment_samples(as_float(batch), self.generator)
        augmented = as_type(augmented, images.dtype).view(images.shape)
        return augmented if labels is None else (augmented, labels)
