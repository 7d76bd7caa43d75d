"""One bilinear sampling for a whole batch of maps: plain functions, which exported code carries along word for word."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def pixel_positions(like: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The x ``[W]`` and y ``[H]`` of a sample's pixels, from its center, of the dtype and on the device of `like`."""
    x = torch.arange(width, device=like.device, dtype=like.dtype) + (0.5 - width / 2)
    y = torch.arange(height, device=like.device, dtype=like.dtype) + (0.5 - height / 2)
    return x, y


def map_grid(inputs: Tensor, maps: Tensor, projective: bool) -> Tensor:
    """For each output pixel its position ``[n, H, W, 2]`` in the input, -1 to 1 from edge to edge.

    ``maps [n, 3, 3]`` are in pixels from the center; where they are not `projective`, the last row is not read. The
    grid is the sum of a row and a column; as complex numbers, they are added ten times as fast as as pairs.
    """
    x, y = pixel_positions(inputs, *inputs.shape[-2:])
    unit = inputs.new_tensor([2 / inputs.shape[-1], 2 / inputs.shape[-2], 1.0])
    along_x, along_y, shift = (maps * unit[:, None]).to(inputs.dtype).unbind(-1)
    row = torch.view_as_complex(x[:, None] * along_x[:, None, :2] + shift[:, None, :2])
    column = torch.view_as_complex(y[:, None] * along_y[:, None, :2])
    grid = torch.view_as_real(row[:, None, :] + column[:, :, None])
    if not projective:
        return grid
    depth = x * along_x[:, None, 2:] + y[:, None] * along_y[:, None, 2:] + shift[:, None, 2:]
    return grid / depth.clamp(min=1e-6)[..., None]  # points behind the horizon lie nowhere in the sample


def field_grid(inputs: Tensor, positions: Tensor) -> Tensor:
    """Positions ``[n, H, W, 2]`` in pixels from the center, as -1 to 1 from edge to edge."""
    return positions * inputs.new_tensor([2 / inputs.shape[-1], 2 / inputs.shape[-2]])


def field_through(positions: Tensor, maps: Tensor) -> Tensor:
    """Where positions ``[n, H, W, 2]`` come to lie under ``maps [n, 3, 3]``."""
    ones = torch.ones_like(positions[..., :1])
    mapped = torch.einsum("nij,nhwj->nhwi", maps.to(positions.dtype), torch.cat([positions, ones], -1))
    return mapped[..., :2] / mapped[..., 2:].clamp(min=1e-6)


def sample(inputs: Tensor, grid: Tensor) -> Tensor:
    """``inputs [n, C, H, W]`` at ``grid [n, H, W, 2]``: bilinear, 0 outside."""
    return grid_sample(inputs, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def warp(inputs: Tensor, maps: Tensor, projective: bool = True) -> Tensor:
    """``inputs [n, C, H, W]`` warped by ``maps [n, 3, 3]``: see `map_grid`."""
    return sample(inputs, map_grid(inputs, maps, projective))


def transform_colors(inputs: Tensor, maps: Tensor) -> Tensor:
    """``inputs [n, C, H, W]`` with each pixel's channels mapped by ``maps [n, C, C + 1]``, cut to [0, 1]."""
    return torch.baddbmm(maps[:, :, -1:], maps[:, :, :-1], inputs.flatten(2)).view_as(inputs).clamp_(0, 1)
