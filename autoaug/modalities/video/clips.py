"""Checks and changes of clips ``[n, T, C, H, W]``: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from autoaug.functional.noise import uniform_noise
from autoaug.modalities.image.pixels import check_inputs


def as_clips(inputs: Any) -> Tensor:
    """Clips ``[B, T, C, H, W]``, or a single one ``[T, C, H, W]``, as a batch; raises ValueError for anything else."""
    if not isinstance(inputs, Tensor):
        raise ValueError(f"clips must be a torch.Tensor [B, T, C, H, W], not a {type(inputs).__name__}")
    if inputs.ndim not in (4, 5):
        raise ValueError(f"clips must be [B, T, C, H, W], or a single [T, C, H, W], not of shape {list(inputs.shape)}")
    return inputs.as_subclass(Tensor)[None] if inputs.ndim == 4 else inputs.as_subclass(Tensor)


def check_clips(clips: Tensor, look: bool = True) -> Tensor:
    """Check ``clips [n, T, C, H, W]``, uint8 or floating point in [0, 1]; clamped if they are outside only by rounding.
    Raises ValueError for anything else. With `look` False, the values are not checked.
    """
    if clips.ndim != 5 or 0 in clips.shape[1:]:
        raise ValueError(f"clips must be [B, T, C, H, W] with at least one pixel, not of shape {list(clips.shape)}")
    return check_inputs(clips.flatten(0, 1), look).view(clips.shape)


def per_frame(rows: Tensor, frames: int) -> Tensor:
    """Rows of clips ``[n, ...]`` as those of their frames, ``[n * T, ...]``."""
    return rows.repeat_interleave(frames, 0)


def of_clips(rows: Tensor, frames: int) -> Tensor:
    """Rows of frames ``[n * T, ...]`` as those of their clips, ``[n, T, ...]``."""
    return rows.reshape(len(rows) // frames, frames, *rows.shape[1:])


def over_time(value: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Values of clips ``[n]`` as those of their frames, ``[n * T]``, which vary smoothly over a clip.

    The first frame has the clip's value; others have less of it, down to a share that is drawn, along three sine waves
    of 0.2 to 1.5 periods per clip (DynaAugment; Kim et al., 2022).
    """
    drawn = uniform_noise(uniforms[:, [2, 3, 0, 1]], (10,)).to(value)  # apart from the noise of operators
    weight, speed, offset = drawn[:, 1:4, None], 0.2 + 1.3 * drawn[:, 4:7, None], drawn[:, 7:, None]
    time = torch.linspace(0, 1, frames, dtype=value.dtype, device=value.device)
    waves = weight * (torch.sin(2 * math.pi * (speed * time + offset)) - torch.sin(2 * math.pi * offset))
    away = waves.sum(1).square()
    less = drawn[:, :1] * away / away.amax(1, keepdim=True).clamp(min=1e-9)
    return (value[:, None] * (1 - less)).flatten()


def show(clips: Tensor, frames: Tensor) -> Tensor:
    """Clips that show at each time another one of their frames, ``frames [n, T]``, or gray 0.5 where that is -1."""
    return torch.where((frames < 0)[:, :, None, None, None], 0.5, show_own(clips, frames.clamp(min=0)))


def show_own(clips: Tensor, frames: Tensor) -> Tensor:
    """The same for ``frames [n, T]`` that are all of the clips."""
    return clips[torch.arange(len(clips), device=clips.device)[:, None], frames]


def own_frames(n: int, frames: int, device: torch.device | str = "cpu") -> Tensor:
    """The frames ``[n, T]`` of clips that show their own."""
    return torch.arange(frames, device=device).repeat(n, 1)


def compose_frames(first: Tensor, then: Tensor) -> Tensor:
    """Two choices of frames, ``[n, T]`` each, one after another, as one."""
    return torch.where(then < 0, -1, first.gather(1, then.clamp(min=0)))
