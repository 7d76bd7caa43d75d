"""The exported module of a policy that does not mix."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import Seeded
from autoaug.functional.steps import augment_samples
from autoaug.modalities.audio.signals import as_float, as_type, as_waves, check_waves


class Augment(Seeded):
    """The policy: takes waveforms at 16 kHz, ``[B, C, T]``, or a single one ``[C, T]`` or ``[T]``, int16 or in [-1, 1];
    returns the same shape and type, each waveform augmented independently. Zeros at the end of a waveform are padding,
    and stay. With labels, it returns ``(waves, labels)``.
    """

    def forward(self, waves: Tensor, labels: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        batch = check_waves(as_waves(waves))
        with torch.autocast(batch.device.type, enabled=False):  # there are no transforms of 16-bit numbers
            augmented = augment_samples(as_float(batch), self.generator)
        augmented = as_type(augmented, waves.dtype).view(waves.shape)
        return augmented if labels is None else (augmented, labels)
