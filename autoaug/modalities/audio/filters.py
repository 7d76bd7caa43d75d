"""Filters as real responses ``[n, F]`` at frequencies ``[F]`` in hertz; runs of them need one pair of Fourier
transforms. Widths and cutoffs are shares of the mel scale up to 8 kHz, on which voices are spread evenly.
"""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from autoaug.modalities.audio.signals import hertz_of, mel
from autoaug.modalities.operators import operator

response = partial(operator, modality="audio", family="filter", kind="response")


def bent(hertz: Tensor) -> Tensor:
    """The frequency of the analog filter that a digital one at 16 kHz is like, by the bilinear transform."""
    return torch.tan((math.pi / 16000 * hertz).clamp(max=math.pi / 2 - 1e-4))


def below(hertz: Tensor, cutoff: Tensor) -> Tensor:
    """A Butterworth low-pass of order 2 forward and backward: 1 / (1 + x ** 4), -6 dB at ``cutoff [n]``; none at 8 kHz
    and above.
    """
    steep = 1 / (1 + (bent(hertz) / bent(cutoff)[:, None]).square().square())  # many times as fast as a power
    return torch.where((cutoff < 7999)[:, None], steep, 1)


def above(hertz: Tensor, cutoff: Tensor) -> Tensor:
    """The high-pass of the same kind; none at 0 Hz."""
    return 1 / (1 + (bent(cutoff)[:, None] / bent(hertz).clamp(min=1e-6)).square().square())


@response("LowPass", unit="of the mel scale cut off", limit=0.85)
def low_pass(share: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Make the sound muffled: at magnitude 1 only what is below 320 Hz is left."""
    return below(hertz, hertz_of(2840.02 * (1 - share)))


@response("HighPass", unit="of the mel scale cut off", limit=0.55)
def high_pass(share: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Make the sound thin: at magnitude 1 what is below 2.1 kHz is gone."""
    return above(hertz, hertz_of(2840.02 * share))


@response("BandPass", unit="of the mel scale cut off", limit=0.9)
def band_pass(share: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Keep a band anywhere, as telephones and small speakers do."""
    low = 2840.02 * share * uniforms[:, 0]
    high = low + 2840.02 * (1 - share)
    return above(hertz, hertz_of(low)) * below(hertz, hertz_of(high))


@response("Tilt", unit="dB per octave", limit=6.0, signed=True)
def tilt(slope: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Make the sound brighter or darker, by a slope from 62.5 Hz to 8 kHz that nowhere amplifies."""
    octaves = torch.log2(hertz.clamp(min=62.5) / 62.5)  # from 0 to 7
    fall = torch.where(slope[:, None] < 0, octaves, octaves - 7)
    return 10 ** (slope[:, None] * fall / 20)


@response("Equalizer", unit="dB", limit=18.0, signed=True)
def equalizer(decibels: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Raise or lower a band of about an octave, anywhere."""
    center = 2840 * uniforms[:, 0]
    bell = torch.exp(-0.5 * ((mel(hertz) - center[:, None]) / 250).square())
    return 10 ** (decibels[:, None] * bell / 20)


@response("FrequencyMask", unit="of the mel scale silenced", limit=0.5)
def frequency_mask(share: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Silence a band of frequencies (SpecAugment; Park et al., 2019), with edges of 20 mel."""
    width = 2840 * share
    center = width / 2 + (2840 - width) * uniforms[:, 0]
    return 1 - ((width[:, None] / 2 - (mel(hertz) - center[:, None]).abs()) / 20).clamp(0, 1)
