"""Bilinear sampling for a whole batch of maps: plain functions, which exported modules contain verbatim."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from autoaug.functional.tensors import constant


def pixel_positions(like: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """The x ``[W]`` and y ``[H]`` of a sample's pixels from its center, with the dtype and device of `like`."""
    x = torch.arange(width, device=like.device, dtype=like.dtype) + (0.5 - width / 2)
    y = torch.arange(height, device=like.device, dtype=like.dtype) + (0.5 - height / 2)
    return x, y


def map_grid(inputs: Tensor, maps: Tensor, projective: bool) -> Tensor:
    """The source position ``[n, H, W, 2]`` of each output pixel in the input, from -1 to 1 between the edges.

    ``maps [n, 3, 3]`` are in pixels from the center; unless `projective`, the last row is not read. The grid is the sum
    of a row and a column; complex numbers are added ten times as fast as pairs.
    """
    x, y = pixel_positions(inputs, *inputs.shape[-2:])
    unit = constant((2 / inputs.shape[-1], 2 / inputs.shape[-2], 1.0), inputs)
    along_x, along_y, shift = (maps * unit[:, None]).to(inputs.dtype).unbind(-1)
    row = torch.view_as_complex(x[:, None] * along_x[:, None, :2] + shift[:, None, :2])
    column = torch.view_as_complex(y[:, None] * along_y[:, None, :2])
    grid = torch.view_as_real(row[:, None, :] + column[:, :, None])
    if not projective:
        return grid
    depth = x * along_x[:, None, 2:] + y[:, None] * along_y[:, None, 2:] + shift[:, None, 2:]
    return grid / depth.clamp(min=1e-6)[..., None]  # points behind the horizon fall outside the sample


def field_grid(inputs: Tensor, positions: Tensor) -> Tensor:
    """Convert positions ``[n, H, W, 2]`` in pixels from the center to -1 to 1 between the edges."""
    return positions * constant((2 / inputs.shape[-1], 2 / inputs.shape[-2]), inputs)


def field_through(positions: Tensor, maps: Tensor) -> Tensor:
    """Map positions ``[n, H, W, 2]`` by ``maps [n, 3, 3]``."""
    ones = torch.ones_like(positions[..., :1])
    mapped = torch.einsum("nij,nhwj->nhwi", maps.to(positions.dtype), torch.cat([positions, ones], -1))
    return mapped[..., :2] / mapped[..., 2:].clamp(min=1e-6)


def keeps_pixels(maps: Tensor, height: int, width: int) -> Tensor:
    """Which of ``maps [n, 3, 3]`` take every pixel from one pixel, but for rounding errors: boolean ``[n]``.

    Flips, quarter turns, transposition and moves by whole pixels do, and what is composed of these.
    """
    linear, first = maps[:, :2, :2], constant(((1 - width) / 2, (1 - height) / 2, 1.0), maps)  # the upper left pixel
    shift = (maps[:, :2] * first).sum(2) - first[:2]  # from there to its source
    last = maps[:, 2] - constant((0.0, 0.0, 1.0), maps)
    farthest = max(height, width) * torch.cat([(linear - linear.round()).flatten(1), last], 1)
    # Bilinear sampling a thousandth of a pixel away changes a value by half of one of 256 levels at most.
    return torch.cat([farthest, shift - shift.round()], 1).abs().amax(1) < 1e-3


def sample(inputs: Tensor, grid: Tensor, exact: Tensor | bool = False) -> Tensor:
    """Sample ``inputs [n, C, H, W]`` at ``grid [n, H, W, 2]``: bilinear, 0 outside. Samples for which `exact` is True
    (one for all, or ``[n]``) are copied pixel by pixel: all of their grid hits pixels, see `keeps_pixels`.
    """
    if isinstance(exact, bool):
        mode = "nearest" if exact else "bilinear"
        return grid_sample(inputs, grid, mode=mode, padding_mode="zeros", align_corners=False)
    if exact.device.type != "cpu":  # the host would have to wait for it
        return torch.where(exact[:, None, None, None], sample(inputs, grid, True), sample(inputs, grid))
    copied = int(exact.sum())
    if copied in (0, len(inputs)):
        return sample(inputs, grid, copied > 0)
    values = torch.empty_like(inputs)
    for some in (exact, ~exact):
        rows = some.nonzero().squeeze(1)
        values.index_copy_(0, rows, sample(inputs[rows], grid[rows], exact[rows]))
    return values


def warp(inputs: Tensor, maps: Tensor, projective: bool = True) -> Tensor:
    """Warp ``inputs [n, C, H, W]`` by ``maps [n, 3, 3]``; see `map_grid`. Maps that take pixels to pixels copy them."""
    height, width = inputs.shape[-2:]
    return sample(inputs, map_grid(inputs, maps, projective), keeps_pixels(maps, height, width))


def transform_colors(inputs: Tensor, maps: Tensor) -> Tensor:
    """Map the channels of each pixel of ``inputs [n, C, H, W]`` by ``maps [n, C, C + 1]``, and clip to [0, 1]."""
    return torch.baddbmm(maps[:, :, -1:], maps[:, :, :-1], inputs.flatten(2)).view_as(inputs).clamp_(0, 1)
