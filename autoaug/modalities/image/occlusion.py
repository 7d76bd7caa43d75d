"""Operators that hide part of the image."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor

from autoaug.functional.noise import uniform_noise
from autoaug.functional.straight_through import straight_through
from autoaug.modalities.operators import operator

occlusion = partial(operator, modality="image", family="occlusion")


def box(fraction: Tensor, uniforms: Tensor, images: Tensor, aspect: Tensor | float = 1.0) -> Tensor:
    """A mask ``[n, 1, H, W]`` that is 1 in a rectangle at a random position, which may overlap the border. Its sides
    are ``fraction [n]`` of the shorter side, times and divided by the root of `aspect`. Its gradient is that of edges
    one pixel wide.
    """
    height, width = images.shape[-2:]
    side = fraction * min(height, width) / 2
    root = aspect**0.5
    y = (torch.arange(height, dtype=uniforms.dtype, device=uniforms.device) + 0.5 - uniforms[:, :1] * height).abs()
    x = (torch.arange(width, dtype=uniforms.dtype, device=uniforms.device) + 0.5 - uniforms[:, 1:2] * width).abs()
    inside = [((side * root)[:, None] - y)[:, None, :, None], ((side / root)[:, None] - x)[:, None, None, :]]
    hard = ((inside[0] > 0) & (inside[1] > 0)).to(fraction.dtype)
    if not fraction.requires_grad:
        return hard
    return straight_through(hard, (inside[0] + 0.5).clamp(0, 1) * (inside[1] + 0.5).clamp(0, 1))


@occlusion("Cutout", unit="side, fraction of the shorter side", limit=0.75)
def cutout(images: Tensor, fraction: Tensor, uniforms: Tensor) -> Tensor:
    """Set a square at a random position to gray 0.5 (DeVries and Taylor, 2017); it may overlap the border."""
    mask = box(fraction, uniforms, images)
    return torch.lerp(images, torch.full_like(images, 0.5), mask.expand_as(images))


def stretched(uniforms: Tensor) -> Tensor:
    """An aspect ratio, log-uniform from 0.3 to 3.3, from the third uniform number."""
    return torch.exp(math.log(3.3) * (2 * uniforms[:, 2] - 1))


@occlusion("Erase", unit="area, fraction of the shorter side's square", limit=0.5)
def erase(images: Tensor, area: Tensor, uniforms: Tensor) -> Tensor:
    """Set a rectangle at a random position to black (Zhong et al., 2020); it may overlap the border."""
    return images * (1 - box(side_of(area), uniforms, images, stretched(uniforms)))


@occlusion("EraseMean", unit="area, fraction of the shorter side's square", limit=0.5)
def erase_mean(images: Tensor, area: Tensor, uniforms: Tensor) -> Tensor:
    """Set a rectangle at a random position to the image's mean color; it may overlap the border."""
    mean = images.mean((-2, -1), keepdim=True).expand_as(images)
    return torch.lerp(images, mean, box(side_of(area), uniforms, images, stretched(uniforms)).expand_as(images))


@occlusion("EraseNoise", unit="area, fraction of the shorter side's square", limit=0.5)
def erase_noise(images: Tensor, area: Tensor, uniforms: Tensor) -> Tensor:
    """Fill a rectangle at a random position with uniform noise; it may overlap the border."""
    noise = uniform_noise(uniforms, tuple(images.shape[1:])).to(images.dtype)
    return torch.lerp(images, noise, box(side_of(area), uniforms, images, stretched(uniforms)).expand_as(images))


def side_of(area: Tensor) -> Tensor:
    """The side of a square with that area, with a finite gradient at 0."""
    return torch.where(area > 0, area.clamp(min=1e-12).sqrt(), area)


@occlusion("GridMask", unit="side of a square, share of the grid's period", limit=0.7)
def grid_mask(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Set the squares of a grid to black (Chen et al., 2020).

    The period of the grid (0.2 to 0.6 of the shorter side) and its position are random.
    """
    height, width = images.shape[-2:]
    period = (0.2 + 0.4 * uniforms[:, :1]) * min(height, width)
    inside = []
    for length, place in ((height, uniforms[:, 1:2]), (width, uniforms[:, 2:3])):
        position = (torch.arange(length, dtype=uniforms.dtype, device=images.device) + 0.5) / period + place
        inside.append(share[:, None] - (position - position.floor()))
    rows, columns = inside[0][:, None, :, None], inside[1][:, None, None, :]
    hard = ((rows > 0) & (columns > 0)).to(images.dtype)
    soft = (4 * rows + 0.5).clamp(0, 1) * (4 * columns + 0.5).clamp(0, 1) if share.requires_grad else hard
    return images * (1 - straight_through(hard, soft))
