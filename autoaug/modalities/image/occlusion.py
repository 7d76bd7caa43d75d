"""Operators that hide a part of the image."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.operators import operator

occlusion = partial(operator, modality="image", family="occlusion")


@occlusion("Cutout", unit="side, fraction of the shorter side", limit=0.75)
def cutout(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    """Set a square at a random place to grey 0.5 (DeVries and Taylor, 2017); it may overlap the border."""
    height, width = images.shape[-2:]
    side = fraction[:, None] * min(height, width)
    rows = (torch.arange(height, device=images.device) + 0.5)[None] - draws[:, :1] * height
    columns = (torch.arange(width, device=images.device) + 0.5)[None] - draws[:, 1:2] * width
    inside = (rows.abs() < side / 2)[:, None, :, None] & (columns.abs() < side / 2)[:, None, None, :]
    return torch.where(inside, 0.5, images)
