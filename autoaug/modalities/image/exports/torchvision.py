"""Operators in terms of torchvision: ``(image [C, H, W], value, uniforms [4]) -> image``.

Its autocontrast, hue and sharpness are not called: they write into what a gradient needs, and raise an error.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F


def by_channel(image: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function that takes 1 or 3 channels; with another number, to each channel separately."""
    return function(image) if image.shape[0] in (1, 3) else function(image[:, None])[:, 0]


def saturated(image: Tensor, factor: float) -> Tensor:
    """Multiply the distance from gray by `factor`; unless there are 1 or 3 channels, gray is their mean."""
    if image.shape[0] in (1, 3):
        return F.adjust_saturation(image, factor)
    return torch.lerp(image.mean(0, keepdim=True).expand_as(image), image, factor).clamp(0, 1)


def brightness(image: Tensor, change: float, uniforms: Tensor) -> Tensor:
    return by_channel(image, lambda one: F.adjust_brightness(one, 1 + change))


def contrast(image: Tensor, change: float, uniforms: Tensor) -> Tensor:
    one = image if image.shape[0] in (1, 3) else image.flatten(0, 1)[None]  # the mean is that of all channels
    return F.adjust_contrast(one, 1 + change).view_as(image)


def saturation(image: Tensor, change: float, uniforms: Tensor) -> Tensor:
    return saturated(image, 1 + change)


def grayscale(image: Tensor, share: float, uniforms: Tensor) -> Tensor:
    return saturated(image, 1 - share)


def invert(image: Tensor, on: float, uniforms: Tensor) -> Tensor:
    return F.invert(image) if on >= 0.5 else image


def solarize(image: Tensor, depth: float, uniforms: Tensor) -> Tensor:
    return F.solarize(image, max(1 - depth - 1e-4, 0)) if depth > 0 else image


def posterize(image: Tensor, bits: float, uniforms: Tensor) -> Tensor:
    removed = math.floor(bits + 0.5)
    levels = (image * 255 + 1e-3).to(torch.uint8)
    return F.posterize(levels, 8 - removed).to(image.dtype) / 255 if removed else image


def equalize(image: Tensor, share: float, uniforms: Tensor) -> Tensor:
    levels = (image * 255 + 0.5).to(torch.uint8)
    equalized = by_channel(levels, F.equalize)
    same = (equalized == levels).flatten(1).all(1)[:, None, None]
    return torch.lerp(image, torch.where(same, image, equalized.to(image.dtype) / 255), share)


def gaussian_blur(image: Tensor, fraction: float, uniforms: Tensor) -> Tensor:
    shorter = min(image.shape[-2:])
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1)
    sigma = fraction * shorter
    return F.gaussian_blur(image, [2 * radius + 1] * 2, [max(sigma, 0.05)] * 2) if radius and sigma > 0 else image


def hue(image: Tensor, turns: float, uniforms: Tensor) -> Tensor:
    if image.shape[0] != 3:
        return image
    value, chroma = image.amax(0), image.amax(0) - image.amin(0)
    red, green, blue = image / torch.where(chroma > 0, chroma, 1)
    tops = torch.where(image[1] == value, 2 + blue - red, 4 + red - green)
    sixths = torch.where(image[0] == value, green - blue, tops) + 6 * turns
    places = (sixths + image.new_tensor([5, 3, 1]).view(3, 1, 1)) % 6
    return value - chroma * torch.minimum(places, 4 - places).clamp(0, 1)


def median_blur(image: Tensor, share: float, uniforms: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    wide = F.pad(image, [1, 1, 1, 1], padding_mode="edge")
    around = [wide[..., y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return torch.lerp(image, torch.stack(around).median(0).values, share).clamp(0, 1)
