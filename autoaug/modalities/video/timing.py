"""Operators on time: the frame ``[n, T]`` of the clip that each frame of the result shows; -1 is a gray one. They only
choose, and blend no frames, so that runs of them are one choice.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.functional.noise import uniform_noise
from autoaug.modalities.operators import operator
from autoaug.modalities.video.clips import own_frames

timing = partial(operator, modality="video", family="time", kind="frames", jumps=True)


@timing("TemporalCrop", unit="share of the clip cut off", limit=0.8)
def temporal_crop(share: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Begin later and end earlier, at the same speed; the last frame that is left stays to the end."""
    cut = (share * frames).round().clamp(max=frames - 1)
    begin = (uniforms[:, 0] * (cut + 1)).floor().clamp(max=frames - 1)
    time = torch.arange(frames, device=share.device)
    return torch.minimum(begin[:, None] + time, (begin + frames - 1 - cut)[:, None]).long()


@timing("PlaybackSpeed", unit="octaves", limit=1.5, signed=True)
def playback_speed(octaves: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Play a part anywhere more slowly, or all of it faster, between its first and its last frame as stills."""
    speed = torch.exp2(octaves)[:, None]
    time = torch.arange(frames, device=octaves.device) + 0.5
    place = speed * time + uniforms[:, :1] * frames * (1 - speed)
    return (place + 1e-4).floor().clamp(0, frames - 1).long()


@timing("FrameDrop", unit="share of the frames", limit=0.8)
def frame_drop(share: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Lose frames here and there, for which the one before stays; the first is never lost."""
    is_there = uniform_noise(uniforms, (frames,)) >= share[:, None]
    is_there[:, 0] = True
    return torch.where(is_there, own_frames(len(share), frames, share.device), 0).cummax(1).values


@timing("Freeze", unit="share of the clip", limit=0.8)
def freeze(share: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Stand still for a stretch of time, and jump to where the clip is then."""
    width = (share * frames).round().clamp(max=frames - 1)
    begin = (uniforms[:, 0] * (frames - width)).floor()[:, None].long()
    time = own_frames(len(share), frames, share.device)
    return torch.where((time >= begin) & (time <= begin + width[:, None]), begin, time)


@timing("Reverse", unit="switch")
def reverse(on: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Play backward."""
    time = own_frames(len(on), frames, on.device)
    return torch.where(on[:, None] >= 0.5, frames - 1 - time, time)


@timing("TemporalCutout", unit="share of the clip", limit=0.6)
def temporal_cutout(share: Tensor, uniforms: Tensor, frames: int) -> Tensor:
    """Set a stretch of time to gray 0.5; a frame stays."""
    width = (share * frames).round().clamp(max=frames - 1)
    begin = (uniforms[:, 0] * (frames - width + 1)).floor()[:, None]
    time = own_frames(len(share), frames, share.device)
    return torch.where((time >= begin) & (time < begin + width[:, None]), -1, time)
