"""What Kornia lacks: short functions of images ``[B, C, H, W]`` with a value for each, and modules that draw these."""

from __future__ import annotations

import math
from typing import Any

import kornia.enhance as E
import torch
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


class OneOf(nn.ModuleList):
    """One of several modules for each image, drawn evenly or with their probabilities."""

    def __init__(self, modules: list[nn.Module], p: list[float] | None = None) -> None:
        super().__init__(modules)
        self.bounds = torch.tensor(p or [1 / len(modules)] * len(modules)).cumsum(0)[:-1]

    def forward(self, images: Tensor) -> Tensor:
        made, drawn = images.clone(), torch.bucketize(torch.rand(len(images)), self.bounds)
        for index in sorted(set(drawn.tolist())):
            made[drawn == index] = self[index](images[drawn == index])
        return made


class RandomApply(OneOf):
    """Modules one after another, with a probability."""

    def __init__(self, modules: list[nn.Module], p: float) -> None:
        super().__init__([nn.Sequential(*modules), nn.Identity()], p=[p, 1 - p])


class Random(nn.Module):
    """A function of images and of arguments for each, which are drawn evenly between their ends."""

    def __init__(self, function: Any, **ends: tuple[float, float]) -> None:
        super().__init__()
        self.function, self.ends = function, ends

    def forward(self, images: Tensor) -> Tensor:
        drawn = {name: torch.empty(len(images)).uniform_(*ends).to(images) for name, ends in self.ends.items()}
        return self.function(images, **drawn).clamp(0, 1)


class Either(Random):
    """The same with arguments that are either of their ends."""

    def forward(self, images: Tensor) -> Tensor:
        shape = (len(images),)
        drawn = {name: torch.tensor(ends)[torch.randint(2, shape)].to(images) for name, ends in self.ends.items()}
        return self.function(images, **drawn).clamp(0, 1)


def warp(images: Tensor, *rows: Any) -> Tensor:
    """Move points (x, y, 1), counted from pixel centers, by a matrix, whose first two rows are given."""
    matrix = [torch.as_tensor(number).to(images).expand(len(images)) for number in rows]
    return warp_affine(images, torch.stack(matrix, 1).view(-1, 2, 3), images.shape[-2:])


def affine(images: Tensor, shear_x: Any = 0.0, shear_y: Any = 0.0, x: Any = 0.0, y: Any = 0.0) -> Tensor:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    moves = (x * images.shape[-1], y * images.shape[-2])
    right, down = (torch.as_tensor(move).round(decimals=3).trunc() for move in moves)
    return warp(images, 1, -shear_x, right - shear_x / 2, -shear_y, 1, down - shear_y / 2)


def zoom(images: Tensor, octaves: Tensor) -> Tensor:
    by, (height, width) = 2**octaves, images.shape[-2:]
    return warp(images, by, 0, (width - 1) * (1 - by) / 2, 0, by, (height - 1) * (1 - by) / 2)


def pad_crop(images: Tensor, padding: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = ((padding * length).round() for length in images.shape[-2:])
    right, below = across - (x * (2 * across + 1)).floor(), down - (y * (2 * down + 1)).floor()
    return warp(images, 1, 0, right, 0, 1, below)


def resized_crop(images: Tensor, share: Tensor, area: Tensor, aspect: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Scale a part to the full size, which leaves out up to a share of the area."""
    size, ratio = 1 - share * area, (share / 0.92 * math.log(4 / 3) * aspect).exp()
    across, down = (size * ratio).sqrt().clamp(max=1), (size / ratio).sqrt().clamp(max=1)
    left, top = (1 - across) * (images.shape[-1] - 1) * x, (1 - down) * (images.shape[-2] - 1) * y
    return warp(images, 1 / across, 0, -left / across, 0, 1 / down, -top / down)


def quarter_turn(images: Tensor, case: Tensor) -> Tensor:
    """Turn a square by 90, 180 or 270 degrees, another rectangle by 180 in two of three cases."""
    height, width = images.shape[-2:]
    turns = case.floor() + 1 if height == width else 2 * case.floor().clamp(max=1)
    cos, sin = (math.pi / 2 * turns).cos().round(), (math.pi / 2 * turns).sin().round()
    x, y = (width - 1) / 2, (height - 1) / 2
    return warp(images, cos, sin, x - cos * x - sin * y, -sin, cos, y + sin * x - cos * y)


def transpose(images: Tensor) -> Tensor:
    """Mirror a square along its diagonal, another rectangle left and right."""
    return images.mT if images.shape[-1] == images.shape[-2] else images.flip(-1)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    if images.shape[1] == 3:
        return E.adjust_saturation_with_gray_subtraction(images, factor)
    return torch.lerp(images.mean(1, keepdim=True), images, factor.view(-1, 1, 1, 1))


def hue(images: Tensor, turns: Tensor) -> Tensor:
    return E.adjust_hue(images, 2 * math.pi * turns) if images.shape[1] == 3 else images


def autocontrast(images: Tensor) -> Tensor:
    """Stretch each channel to the full range; flat ones stay, which Kornia's own makes black."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp(min=1e-6), images)


def blend(function: Any, images: Tensor, share: Tensor) -> Tensor:
    """A share of what a function makes of images, and of the images the rest."""
    return torch.lerp(images, function(images), share.view(-1, 1, 1, 1))


def gamma(images: Tensor, octaves: Tensor) -> Tensor:
    return E.adjust_gamma(images, 2**octaves)


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    return E.sharpness(images, factor) if min(images.shape[-2:]) > 2 else images  # which are border only


def blur(images: Tensor, fraction: Tensor) -> Tensor:
    """Smooth by a standard deviation that is a fraction of the shorter side."""
    shorter = min(images.shape[-2:])
    radius = min(math.ceil(0.18 * shorter), shorter - 1)
    sigma = (fraction * shorter).clamp(min=0.05)
    return gaussian_blur2d(images, (2 * radius + 1,) * 2, torch.stack([sigma, sigma], -1)) if radius else images


def noise(images: Tensor, sigma: Tensor) -> Tensor:
    return (images + sigma.view(-1, 1, 1, 1) * torch.randn_like(images)).clamp(0, 1)


def cutout(images: Tensor, side: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Fill a square with gray, around a place between 0 and 1; its side is a fraction of the shorter side."""
    height, width = images.shape[-2:]
    half = side.view(-1, 1) * min(height, width) / 2
    rows, columns = (
        (torch.arange(length).to(images) + 0.5 - at.view(-1, 1) * length).abs() < half
        for at, length in ((y, height), (x, width))
    )
    return images.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0.5)
