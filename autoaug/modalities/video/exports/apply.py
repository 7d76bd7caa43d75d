"""How an exported module applies the operations that it drew, and batches operators on single images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autoaug.modalities.image.exports.apply import one_by_one
from autoaug.modalities.image.warping import field_grid, field_through, sample, transform_colors, warp
from autoaug.modalities.video.clips import over_time, per_frame, show

__all__ = ["apply_operations", "one_by_one"]


def apply_operations(clips: Tensor, choice: Tensor, magnitude: Tensor, uniforms: Tensor) -> Tensor:
    """Apply to each clip its operators in order; in every step, all clips with the same operator are batched.

    Frames are changed as images are, all of a clip alike. Consecutive warps of a clip are composed into one map, and
    all its frames are sampled once, as if they were channels, unless their magnitudes vary over the clip.
    """
    clips, frames = clips.clone(), clips.shape[1]
    maps = torch.eye(3, dtype=clips.dtype, device=clips.device).repeat(len(clips), 1, 1)
    moved = torch.zeros(len(clips), dtype=torch.bool, device="cpu")

    def finish(some: Tensor) -> None:
        waiting = some[moved[some]]
        if len(waiting):
            stacked = warp(clips[waiting].flatten(1, 2), maps[waiting]).clamp(0, 1)
            clips[waiting] = stacked.view(clips[waiting].shape)
        maps[some] = torch.eye(3, dtype=clips.dtype, device=clips.device)
        moved[some] = False

    for step in range(len(choice)):
        for index, (kind, function, limit) in enumerate(OPERATORS):
            rows = (choice[step] == index).nonzero().squeeze(1)
            if not len(rows):
                continue
            value, numbers = (magnitude[step, rows] * limit).to(clips), uniforms[step, rows].to(clips)
            if kind == "warp":
                maps[rows] = maps[rows] @ function(value, numbers, clips.shape[-2:])
                moved[rows] = True
                continue
            if kind == "field":
                positions = field_through(function(value, numbers, clips.shape[-2:]), maps[rows])
                stacked = sample(clips[rows].flatten(1, 2), field_grid(clips, positions)).clamp(0, 1)
                moved[rows] = False
                finish(rows)
                clips[rows] = stacked.view(clips[rows].shape)
                continue
            finish(rows)
            if kind == "frames":
                clips[rows] = show(clips[rows], function(value, numbers, frames))
                continue
            images, varies = clips[rows].flatten(0, 1), kind.startswith("varying")
            value = over_time(value, numbers, frames) if varies else per_frame(value, frames)
            numbers = per_frame(numbers, frames)
            if kind == "varying warp":
                result = warp(images, function(value, numbers, clips.shape[-2:])).clamp(0, 1)
            else:
                result = function(images, value, numbers)
                result = transform_colors(images, result) if kind.endswith("colors") else result.clamp(0, 1)
            clips[rows] = result.view(clips[rows].shape)
    finish(torch.arange(len(clips), device="cpu"))
    return clips


#: Kind, function and value at magnitude 1 of each operator; an exported module has its own list.
OPERATORS: list[tuple[str, Callable[..., Tensor], float]] = []
