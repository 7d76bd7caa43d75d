"""What torchvision lacks for clips: short functions of a clip ``[T, C, H, W]`` that choose its frames."""

from __future__ import annotations

from typing import Any

import torch


def temporal_crop(clip: Any, share: float, place: float) -> Any:
    """Begin later and end earlier, at the same speed; the last frame that is left stays to the end."""
    frames = len(clip)
    cut = min(round(share * frames), frames - 1)
    begin = int(place * (cut + 1))
    return clip[(begin + torch.arange(frames)).clamp(max=begin + frames - 1 - cut)]


def playback_speed(clip: Any, octaves: float, place: float) -> Any:
    """Play a part anywhere more slowly, or all of it faster, between its first and its last frame as stills."""
    frames, speed = len(clip), 2**octaves
    time = speed * (torch.arange(frames) + 0.5) + place * frames * (1 - speed)
    return clip[(time + 1e-4).floor().clamp(0, frames - 1).long()]


def frame_drop(clip: Any, share: float) -> Any:
    """Lose frames here and there, for which the one before stays; the first is never lost."""
    time = torch.arange(len(clip))
    return clip[torch.where(torch.rand(len(clip)) < share, 0, time).cummax(0).values]


def freeze(clip: Any, share: float, place: float) -> Any:
    """Stand still for a stretch of time, and jump to where the clip is then."""
    frames, time = len(clip), torch.arange(len(clip))
    width = min(round(share * frames), frames - 1)
    begin = int(place * (frames - width))
    return clip[torch.where((time >= begin) & (time <= begin + width), begin, time)]


def reverse(clip: Any) -> Any:
    """Play backward."""
    return clip.flip(0)


def temporal_cutout(clip: Any, share: float, place: float) -> Any:
    """Set a stretch of time to gray; a frame stays."""
    frames, time = len(clip), torch.arange(len(clip), device=clip.device)[:, None, None, None]
    width = min(round(share * frames), frames - 1)
    begin = int(place * (frames - width + 1))
    return clip.where((time < begin) | (time >= begin + width), 0.5 if clip.is_floating_point() else 128)


def check(clips: Any) -> None:
    """Raise ValueError where values would be misread."""
    seen = type(clips).__name__
    if isinstance(clips, torch.Tensor):
        low, high = (0, 1) if clips.dtype == torch.uint8 or not clips.numel() else clips.aminmax()
        seen = f"{clips.dtype} {list(clips.shape)} from {low} to {high}"
        if clips.ndim in (4, 5) and clips.numel() and bool(-1e-3 <= low <= high <= 1.001):
            return
    raise ValueError(f"clips must be [T, C, H, W] or [B, T, C, H, W] in uint8 or floats in [0, 1], not {seen}")
