"""The exported module of a policy that mixes waveforms and labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from autoaug.functional.bounds import check_classes
from autoaug.functional.labels import soft_labels
from autoaug.functional.sampling import Seeded
from autoaug.functional.steps import augment_samples
from autoaug.modalities.audio.mixing import draw_mixing, mix_pairs
from autoaug.modalities.audio.signals import as_float, as_type, as_waves, check_waves

MIXING: tuple[tuple[int, int], float, float] = ((1, 1), 1.0, 1.0)


class Augment(Seeded):
    """The policy: takes waveforms ``[B, C, T]`` at 16 kHz, int16 or in [-1, 1], and labels ``[B]`` or ``[B, classes]``;
    returns waveforms of the same shape and type and soft labels ``[B, classes]``. Zeros at the end of a waveform are
    padding.

    Class indices need the number of `classes`.
    """

    def __init__(self, seed: int | None = None, classes: int | None = None) -> None:
        super().__init__(seed)
        self.classes = check_classes(classes)

    def forward(self, waves: Tensor, labels: Any) -> tuple[Tensor, Tensor]:
        if as_waves(waves).ndim != waves.ndim:
            raise ValueError("this policy mixes waveforms; pass a batch [B, C, T] with labels, not a single one")
        batch, generator = check_waves(waves), self.generator
        soft = soft_labels(labels, self.classes, len(batch))
        with torch.autocast(batch.device.type, enabled=False):  # there are no transforms of 16-bit numbers
            augmented = augment_samples(as_float(batch), generator)
            mode, partner, weight, place = draw_mixing(*MIXING, len(batch), generator)
            mixed = mix_pairs(augmented, augmented[partner.to(batch.device)], mode, weight, place)
        own = weight.to(soft)
        return as_type(mixed, waves.dtype), torch.lerp(soft[partner.to(soft.device)], soft, own[:, None])
