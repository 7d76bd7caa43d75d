"""Operators on the values of a waveform: loudness, sign, and what recorders and codecs do to them."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from autoaug.functional.straight_through import straight_through
from autoaug.modalities.audio.signals import per_wave
from autoaug.modalities.operators import operator

level = partial(operator, modality="audio", family="level")


@level("Gain", unit="dB", limit=18.0, signed=True, kind="response")
def gain(decibels: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Make the sound louder or quieter; values beyond full scale are clipped."""
    return (10 ** (decibels / 20))[:, None].expand(-1, len(hertz))


@level("Polarity", unit="switch", kind="response", jumps=True)
def polarity(on: Tensor, uniforms: Tensor, hertz: Tensor) -> Tensor:
    """Turn the waveform upside down, which nobody hears."""
    return torch.where(on < 0.5, 1.0, -1.0).to(on)[:, None].expand(-1, len(hertz))


@level("Clipping", unit="of the peak cut off", limit=0.95)
def clipping(waves: Tensor, share: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Cut off the peaks, and bring what is left back to the height of the peak."""
    peak = waves.abs().amax((1, 2), keepdim=True)
    kept = 1 - per_wave(share)
    return torch.minimum(torch.maximum(waves, -peak * kept), peak * kept) / kept


@level("Quantization", unit="bits removed", limit=12.0)
def quantization(waves: Tensor, bits: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Keep only the highest of 16 bits; the number of bits removed is rounded."""
    removed = (per_wave(bits.detach()) + 0.5).floor()
    step = torch.exp2(removed) / 32768
    given = waves.detach()
    stepped = torch.where(removed > 0, (given / step).round_().mul_(step), given)
    if not (waves.requires_grad or bits.requires_grad):
        return stepped
    # As a gradient: what is lost doubles with every bit.
    return straight_through(stepped, waves + per_wave(bits) * (stepped - given) * math.log(2))


@level("MuLaw", unit="of the sound coded")
def mu_law(waves: Tensor, share: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Blend with the sound through a telephone's companding (ITU-T G.711, mu = 255), of 5 bits instead of 8."""
    given = waves.detach()
    bent = given.sign() * torch.log1p(255 * given.abs()) / math.log(256)
    coarse = (bent * 15).round() / 15
    coded = coarse.sign() * torch.expm1(coarse.abs() * math.log(256)) / 255
    return torch.lerp(waves, straight_through(coded, waves), per_wave(share))
