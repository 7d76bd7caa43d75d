"""Three operators on series, one of each role."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug import operator

series = partial(operator, modality="series")


@series("SeriesNoise", family="level", kind="samples", unit="standard deviation", limit=0.5)
def noise(values: Tensor, deviation: Tensor, uniforms: Tensor) -> Tensor:
    """Add waves of a random frequency and phase, of this deviation."""
    time = torch.linspace(0, 1, values.shape[-1], dtype=values.dtype, device=values.device)
    wave = torch.sin(2 * torch.pi * ((3 + 20 * uniforms[:, :1]) * time + uniforms[:, 1:2])) * 2**0.5
    return values + deviation[:, None, None] * wave[:, None]


@series("SeriesGain", family="level", kind="levels", unit="octaves", limit=2.0, signed=True)
def gain(octaves: Tensor, uniforms: Tensor) -> Tensor:
    """Multiply the values."""
    return torch.stack([torch.exp2(octaves), torch.zeros_like(octaves)], 1)


@series("SeriesShift", family="time", kind="times", unit="share of the length", limit=0.5, signed=True)
def shift(share: Tensor, uniforms: Tensor) -> Tensor:
    """Move in time; the ends are repeated."""
    return torch.stack([torch.ones_like(share), 2 * share], 1)
