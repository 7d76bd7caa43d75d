"""Every image operator in terms of torchvision: ``(image [C, H, W], value, draws [4]) -> image``."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.noise import normal_noise


def apply_operations(images: Tensor, choice: Tensor, magnitude: Tensor, draws: Tensor) -> Tensor:
    """Apply to each image its operators in turn."""
    done = []
    for i, image in enumerate(images):
        for step in range(len(choice)):
            if choice[step, i] >= 0:
                function, limit = OPERATORS[choice[step, i]]
                image = function(image, float(magnitude[step, i] * limit), draws[step, i]).clamp(0, 1)
        done.append(image)
    return torch.stack(done)


def identity(image: Tensor, value: float, draws: Tensor) -> Tensor:
    return image


def horizontal_flip(image: Tensor, on: float, draws: Tensor) -> Tensor:
    return F.horizontal_flip(image) if on >= 0.5 else image


def vertical_flip(image: Tensor, on: float, draws: Tensor) -> Tensor:
    return F.vertical_flip(image) if on >= 0.5 else image


def warp(
    image: Tensor, translate: tuple[int, int] = (0, 0), scale: float = 1.0, shear: tuple[float, float] = (0.0, 0.0)
) -> Tensor:
    return F.affine(image, 0.0, list(translate), scale, list(shear), InterpolationMode.BILINEAR)


def rotate(image: Tensor, degrees: float, draws: Tensor) -> Tensor:
    return F.rotate(image, degrees, InterpolationMode.BILINEAR)


def shear(image: Tensor, x: float, y: float) -> Tensor:
    degrees = [math.degrees(math.atan(x)), math.degrees(math.atan(y))]
    return F.affine(image, 0.0, [0, 0], 1.0, degrees, InterpolationMode.BILINEAR, center=[0.0, 0.0])


def shear_x(image: Tensor, slope: float, draws: Tensor) -> Tensor:
    return shear(image, slope, 0.0)


def shear_y(image: Tensor, slope: float, draws: Tensor) -> Tensor:
    return shear(image, 0.0, slope)


def whole_pixels(fraction: float, length: int) -> int:
    return int(fraction * length + math.copysign(1e-3, fraction))


def translate_x(image: Tensor, fraction: float, draws: Tensor) -> Tensor:
    return warp(image, translate=(whole_pixels(fraction, image.shape[-1]), 0))


def translate_y(image: Tensor, fraction: float, draws: Tensor) -> Tensor:
    return warp(image, translate=(0, whole_pixels(fraction, image.shape[-2])))


def scale(image: Tensor, octaves: float, draws: Tensor) -> Tensor:
    return warp(image, scale=2.0**octaves)


def pad_crop(image: Tensor, fraction: float, draws: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    x, y = round(fraction * width), round(fraction * height)
    left, top = int(draws[0] * (2 * x + 1)), int(draws[1] * (2 * y + 1))
    return F.crop(F.pad(image, [x, y]), top, left, height, width)


def brightness(image: Tensor, change: float, draws: Tensor) -> Tensor:
    return F.adjust_brightness(image, 1 + change)


def contrast(image: Tensor, change: float, draws: Tensor) -> Tensor:
    return F.adjust_contrast(image, 1 + change)


def saturation(image: Tensor, change: float, draws: Tensor) -> Tensor:
    return F.adjust_saturation(image, 1 + change)


def grayscale(image: Tensor, share: float, draws: Tensor) -> Tensor:
    return F.adjust_saturation(image, 1 - share)


def invert(image: Tensor, on: float, draws: Tensor) -> Tensor:
    return F.invert(image) if on >= 0.5 else image


def solarize(image: Tensor, depth: float, draws: Tensor) -> Tensor:
    return F.solarize(image, 1 - depth) if depth > 0 else image


def posterize(image: Tensor, bits: float, draws: Tensor) -> Tensor:
    removed = math.floor(bits + 0.5)
    levels = (image * 255 + 1e-3).to(torch.uint8)
    return F.posterize(levels, 8 - removed).to(image.dtype) / 255 if removed else image


def autocontrast(image: Tensor, share: float, draws: Tensor) -> Tensor:
    return torch.lerp(image, F.autocontrast(image), share)


def equalize(image: Tensor, share: float, draws: Tensor) -> Tensor:
    levels = (image * 255 + 0.5).to(torch.uint8)
    equalized = F.equalize(levels)
    same = (equalized == levels).flatten(1).all(1)[:, None, None]
    return torch.lerp(image, torch.where(same, image, equalized.to(image.dtype) / 255), share)


def sharpness(image: Tensor, change: float, draws: Tensor) -> Tensor:
    return F.adjust_sharpness(image, 1 + change)


def gaussian_blur(image: Tensor, fraction: float, draws: Tensor) -> Tensor:
    shorter = min(image.shape[-2:])
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1)
    sigma = fraction * shorter
    return F.gaussian_blur(image, [2 * radius + 1] * 2, [max(sigma, 0.05)] * 2) if radius and sigma > 0 else image


def gaussian_noise(image: Tensor, sigma: float, draws: Tensor) -> Tensor:
    return image + sigma * normal_noise(draws[None], image[None])[0]


def cutout(image: Tensor, fraction: float, draws: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    half = fraction * min(height, width) / 2
    rows = (torch.arange(height) + 0.5 - draws[0] * height).abs() < half
    columns = (torch.arange(width) + 0.5 - draws[1] * width).abs() < half
    return torch.where((rows[:, None] & columns).to(image.device), 0.5, image)


#: What `apply_operations` looks operators up in; an exported module has its own.
OPERATORS: list[tuple[Callable[[Tensor, float, Tensor], Tensor], float]] = []
