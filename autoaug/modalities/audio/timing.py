"""Operators on time: maps ``[n, 3]`` of scale, offset and ratio of lengths (see `retime`), and masks."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.modalities.audio.signals import finer, per_wave, read_finer, up_to, with_silence
from autoaug.modalities.operators import operator

timing = partial(operator, modality="audio", family="time")


@timing("Speed", unit="octaves", limit=0.5, signed=True, kind="times")
def speed(octaves: Tensor, uniforms: Tensor) -> Tensor:
    """Play faster and higher, or slower and lower, as tapes do (Ko et al., 2015); the end may no longer fit."""
    one = torch.ones_like(octaves)
    return torch.stack([one, 0 * one, torch.exp2(-octaves)], 1)


@timing("TimeShift", unit="of the length", limit=0.5, signed=True, kind="times")
def time_shift(share: Tensor, uniforms: Tensor) -> Tensor:
    """Move later or earlier; silence comes in, and what leaves is lost."""
    one = torch.ones_like(share)
    return torch.stack([one, -share, one], 1)


@timing("TimeCrop", unit="of the length cut off", limit=0.6, kind="times", jumps=True)
def time_crop(share: Tensor, uniforms: Tensor) -> Tensor:
    """Keep a part anywhere, which is shorter."""
    return torch.stack([1 - share, share * uniforms[:, 0], 1 - share], 1)


@timing("TimeMask", unit="of the length silenced", limit=0.5)
def time_mask(waves: Tensor, share: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Silence a stretch of time (SpecAugment; Park et al., 2019), with edges of 2 ms."""
    width = share * lengths
    center = width / 2 + (lengths - width) * uniforms[:, 0]
    time = (torch.arange(waves.shape[-1], device=waves.device) + 0.5) / 32
    return waves * ((time - per_wave(center) / 32).abs() + per_wave(1 - width / 64)).clamp(0, 1)


@timing("TimeWarp", unit="of the length", limit=0.2, signed=True)
def time_warp(waves: Tensor, share: Tensor, uniforms: Tensor, lengths: Tensor) -> Tensor:
    """Move a point in time later or earlier, and stretch what is before and after it.

    From SpecAugment (Park et al., 2019), on the waveform: as on tapes, the pitch follows. Nothing gets more than twice
    as fast.
    """
    room = 2 * share.abs() + 1e-3  # so that both sides have a length, which is divided by
    center = (room + (1 - 2 * room) * uniforms[:, 0]) * lengths
    target, end, near = center + share * lengths, lengths[:, None], up_to(waves, lengths)
    before, after = center / target, (lengths - center) / (lengths - target)
    own = torch.arange(near.shape[-1], device=waves.device) + 0.5
    place = torch.where(own < target[:, None], own * before[:, None], end - (end - own) * after[:, None])
    # Only one side gets faster, so each has its own filter. Coefficients are half a sample apart.
    early = torch.arange(2 * near.shape[-1] + 7, device=waves.device) < 2 * center[:, None] + 2
    curve = torch.where(early[:, None], finer(near, before), finer(near, after))
    made = with_silence(read_finer(curve, place - 0.5), waves.shape[-1])
    return torch.where(per_wave(share) == 0, waves, made)
