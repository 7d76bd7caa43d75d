"""How an exported module applies the operations that it drew, and batches operators on single images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autoaug.modalities.image.warping import field_grid, field_through, sample, transform_colors, warp


def apply_operations(images: Tensor, choice: Tensor, magnitude: Tensor, uniforms: Tensor) -> Tensor:
    """Apply to each image its operators in order; in every step, all images with the same operator are batched.

    Consecutive warps of an image are composed into one map and sampled once.
    """
    images = images.clone()
    maps = torch.eye(3, dtype=images.dtype, device=images.device).repeat(len(images), 1, 1)
    moved = torch.zeros(len(images), dtype=torch.bool, device="cpu")
    for step in range(len(choice)):
        for index, (kind, function, limit) in enumerate(OPERATORS):
            rows = (choice[step] == index).nonzero().squeeze(1)
            if not len(rows):
                continue
            given = (magnitude[step, rows] * limit).to(images), uniforms[step, rows].to(images)
            if kind == "warp":
                maps[rows] = maps[rows] @ function(*given, images.shape[-2:])
                moved[rows] = True
                continue
            if kind == "field":
                positions = field_through(function(*given, images.shape[-2:]), maps[rows])
                images[rows] = sample(images[rows], field_grid(images, positions)).clamp(0, 1)
            else:
                waiting = rows[moved[rows]]
                images[waiting] = warp(images[waiting], maps[waiting]).clamp(0, 1)
                result = function(images[rows], *given)
                images[rows] = transform_colors(images[rows], result) if kind == "colors" else result.clamp(0, 1)
            maps[rows] = torch.eye(3, dtype=images.dtype, device=images.device)
            moved[rows] = False
    images[moved] = warp(images[moved], maps[moved]).clamp(0, 1)
    return images


def one_by_one(function: Callable[[Tensor, float, Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Turn a function of one image, its value and its uniforms into one of a batch."""
    return lambda images, value, uniforms: torch.stack(
        [function(image, float(v), d) for image, v, d in zip(images, value, uniforms, strict=True)]
    )


#: Kind, function and value at magnitude 1 of each operator; an exported module has its own list.
OPERATORS: list[tuple[str, Callable[..., Tensor], float]] = []
