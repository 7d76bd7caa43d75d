"""What Kornia lacks: short functions of images ``[B, C, H, W]`` with a value for each, and classes that draw these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import kornia.augmentation as K
import kornia.enhance as E
import torch
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


class RandomValue(K.IntensityAugmentationBase2D):
    """Apply a function of images, with arguments drawn evenly between their ends for each."""

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        super().__init__(p=p)
        self.function, self.ends = function, ends

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        return {name: torch.empty(batch_shape[0]).uniform_(*ends) for name, ends in self.ends.items()}

    def apply_transform(self, input: Tensor, params: Any, flags: Any, transform: Any = None) -> Tensor:
        return self.function(input, **{name: params[name].to(input) for name in self.ends})


class RandomWarp(K.GeometricAugmentationBase2D):
    """Move pixels by a function with arguments drawn evenly; it gives the first rows of matrices from points (x, y, 1),
    counted from the centers of pixels, to their new places.
    """

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        super().__init__(p=p)
        self.function, self.ends = function, ends

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        return {name: torch.empty(batch_shape[0]).uniform_(*ends) for name, ends in self.ends.items()}

    def compute_transformation(self, input: Tensor, params: Any, flags: Any) -> Tensor:
        drawn = {name: params[name].to(input) for name in self.ends}
        zero, one = input.new_zeros(len(input)), input.new_ones(len(input))
        rows = [*self.function(*input.shape[-2:], **drawn), (0.0, 0.0, 1.0)]
        return torch.stack([value * one + zero for row in rows for value in row], -1).view(-1, 3, 3)

    def apply_transform(self, input: Tensor, params: Any, flags: Any, transform: Any = None) -> Tensor:
        return warp_affine(input, transform[:, :2], input.shape[-2:])


class OneOf(nn.Module):
    """One of several transforms, drawn for each image with their probabilities, or evenly."""

    def __init__(self, transforms: Sequence[nn.Module], p: Sequence[float] | None = None) -> None:
        super().__init__()
        self.transforms, self.p = nn.ModuleList(transforms), p or [1 / len(transforms)] * len(transforms)

    def forward(self, images: Tensor) -> Tensor:
        chosen = torch.multinomial(torch.tensor(self.p), max(len(images), 1), replacement=True)
        made = images.clone()
        for index, transform in enumerate(self.transforms):
            rows = (chosen[: len(images)] == index).nonzero()[:, 0].to(images.device)
            if len(rows):
                made[rows] = transform(images[rows])
        return made


def shear(height: int, width: int, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Shear by slopes, about the upper left corner."""
    return (1.0, -x, -x / 2), (-y, 1.0, -y / 2)


def translate(height: int, width: int, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Move by fractions of the size, in whole pixels."""
    right, down = (torch.as_tensor(move * 1000).round().div(1000).trunc() for move in (x * width, y * height))
    return (1.0, 0.0, right), (0.0, 1.0, down)


def zoom(height: int, width: int, octaves: Tensor) -> Any:
    by = 2**octaves
    return (by, 0.0, (width - 1) * (1 - by) / 2), (0.0, by, (height - 1) * (1 - by) / 2)


def pad_crop(height: int, width: int, padding: Tensor, x: Tensor, y: Tensor) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (padding * height).round(), (padding * width).round()
    right, below = across - (x * (2 * across + 1)).floor(), down - (y * (2 * down + 1)).floor()
    return (1.0, 0.0, right), (0.0, 1.0, below)


def resized_crop(height: int, width: int, share: Tensor, area: Tensor, aspect: Tensor, x: Tensor, y: Tensor) -> Any:
    """Scale a part to the full size, which leaves out up to a share of the area."""
    size, ratio = 1 - share * area, (share / 0.92 * math.log(4 / 3) * aspect).exp()
    across, down = (size * ratio).sqrt().clamp(max=1), (size / ratio).sqrt().clamp(max=1)
    left, top = (1 - across) * (width - 1) * x, (1 - down) * (height - 1) * y
    return (1 / across, 0.0, -left / across), (0.0, 1 / down, -top / down)


def quarter_turn(height: int, width: int, case: Tensor) -> Any:
    """Turn a square by 90, 180 or 270 degrees, another rectangle by 180 in two of three cases."""
    turns = case.floor() + 1 if height == width else 2 * case.floor().clamp(max=1)
    cos, sin = (math.pi / 2 * turns).cos().round(), (math.pi / 2 * turns).sin().round()
    x, y = (width - 1) / 2, (height - 1) / 2
    return (cos, sin, x - cos * x - sin * y), (-sin, cos, y + sin * x - cos * y)


def transpose(height: int, width: int) -> Any:
    """Mirror a square along its diagonal, another rectangle left and right."""
    return ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)) if height == width else ((-1.0, 0.0, width - 1), (0.0, 1.0, 0.0))


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    return E.adjust_saturation_with_gray_subtraction(images, factor) if images.shape[1] == 3 else images


def hue(images: Tensor, turns: Tensor) -> Tensor:
    return E.adjust_hue(images, 2 * math.pi * turns) if images.shape[1] == 3 else images


def blend(images: Tensor, others: Tensor, share: Tensor) -> Tensor:
    return images + share.view(-1, 1, 1, 1) * (others - images)


def autocontrast(images: Tensor, share: Tensor) -> Tensor:
    return blend(images, E.normalize_min_max(images).clamp(0, 1), share)


def equalize(images: Tensor, share: Tensor) -> Tensor:
    return blend(images, E.equalize(images), share)


def gamma(images: Tensor, octaves: Tensor) -> Tensor:
    return E.adjust_gamma(images, 2**octaves)


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


def check(images: Any) -> None:
    """Raise ValueError for images whose values would be misread."""
    found, good = type(images).__name__, False
    if isinstance(images, Tensor):
        found, good = f"{images.dtype} {list(images.shape)}", images.dtype == torch.uint8 or images.is_floating_point()
        if images.is_floating_point() and images.numel():
            low, high = images.aminmax()
            found, good = f"{found} from {low:g} to {high:g}", bool(-1e-3 <= low <= high <= 1.001)
        good = good and images.ndim in (3, 4) and 0 not in images.shape[-3:]
    if not good:
        raise ValueError(f"images must be [B, C, H, W] or [C, H, W], uint8 or floats in [0, 1], not {found}")
