"""The exported module of a policy that does not mix."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Seeded
from autoaug.functional.steps import augment_samples
from autoaug.modalities.image.pixels import as_float, as_type
from autoaug.modalities.video.clips import as_clips, check_clips


class Augment(Seeded):
    """The policy: takes clips ``[B, T, C, H, W]``, or a single one ``[T, C, H, W]``, uint8 or in [0, 1] (values outside
    by at most 1e-3 are clamped); returns the same shape and type, each clip augmented independently, and all frames of
    a clip alike. With labels, it returns ``(clips, labels)``.
    """

    def forward(self, clips: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        batch = check_clips(as_clips(clips))
        with torch.autocast(batch.device.type, enabled=False):  # 16-bit coordinates are too coarse
            augmented = augment_samples(as_float(batch), self.generator)
        augmented = as_type(augmented, clips.dtype).view(clips.shape)
        return augmented if labels is None else (augmented, labels)
