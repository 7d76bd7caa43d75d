"""The exported module of a policy that mixes clips and labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.functional.bounds import check_classes
from autoaug.functional.labels import soft_labels
from autoaug.functional.sampling import Seeded
from autoaug.functional.steps import augment_samples
from autoaug.modalities.image.mixing import draw_mixing, label_share
from autoaug.modalities.image.pixels import as_float, as_type
from autoaug.modalities.video.clips import as_clips, check_clips
from autoaug.modalities.video.mixing import mix_clips

MIXING: tuple[tuple[int, int], float, float] = ((1, 1), 1.0, 1.0)


class Augment(Seeded):
    """The policy: takes clips ``[B, T, C, H, W]``, uint8 or in [0, 1] (values outside by at most 1e-3 are clamped), and
    labels ``[B]`` or ``[B, classes]``; returns clips of the same shape and type and soft labels ``[B, classes]``.

    Class indices need the number of `classes`.
    """

    def __init__(self, seed: int | None = None, classes: int | None = None) -> None:
        super().__init__(seed)
        self.classes = check_classes(classes)

    def forward(self, clips: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        if as_clips(clips).ndim != clips.ndim:
            raise ValueError("this policy mixes clips; pass a batch with labels, not a single clip")
        batch, generator = check_clips(as_clips(clips)), self.generator
        soft = soft_labels(labels, self.classes, len(batch))
        with torch.autocast(batch.device.type, enabled=False):  # 16-bit coordinates are too coarse
            augmented = augment_samples(as_float(batch), generator)
            mode, partner, weight, place = draw_mixing(*MIXING, len(batch), generator)
            mixed = mix_clips(augmented, augmented[partner.to(batch.device)], mode, weight, place)
        own = label_share(mode, weight, place, batch.shape[-2], batch.shape[-1]).to(soft)
        return as_type(mixed, clips.dtype), torch.lerp(soft[partner.to(soft.device)], soft, own[:, None])
