"""Effects of light and weather."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from autoaug.functional.noise import uniform_noise
from autoaug.modalities.image.tone import per_image
from autoaug.modalities.operators import operator

weather = partial(operator, modality="image", family="weather")


@weather("Vignette", unit="darkening of the corners")
def vignette(images: Tensor, darkening: Tensor, uniforms: Tensor) -> Tensor:
    """Darken in proportion to the square of the distance from the center."""
    y, x = (from_center(length, images) for length in images.shape[-2:])
    return images * (1 - per_image(darkening) * (y[:, None].square() + x.square()) / 2)


def from_center(length: int, like: Tensor) -> Tensor:
    """Positions from -1 to 1, ``[length]``; a single one is in the center."""
    end = float(length > 1)
    return torch.linspace(-end, end, length, device=like.device, dtype=like.dtype)


@weather("Fog", unit="density", limit=0.9)
def fog(images: Tensor, density: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with white, by random amounts that vary smoothly over the image."""
    coarse = uniform_noise(uniforms, (1, 5, 5)).to(images.dtype)
    cloud = interpolate(coarse, images.shape[-2:], mode="bicubic", align_corners=True).clamp(0, 1)
    return images + per_image(density) * (0.5 + 0.5 * cloud) * (1 - images)


@weather("Rain", unit="opacity of the drops")
def rain(images: Tensor, opacity: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with light streaks, an eighth of the height long, at a random slant of up to 27 degrees."""
    n, _, height, width = images.shape
    length = max(1, round(height / 8))
    start = uniform_noise(uniforms, (1, height + length, width + 2 * length)).to(images.dtype)
    drops = (start < 0.15 / length**0.5).to(images.dtype)
    slant = uniforms[:, 2] - 0.5
    streak = torch.zeros(n, 1, height, width, dtype=images.dtype, device=images.device)
    columns = torch.arange(width, device=images.device) + length
    for step in range(length):
        shifted = columns + (slant[:, None] * step).round().long()
        row = drops[:, :, length - step : length - step + height]
        streak = torch.maximum(streak, row.gather(3, shifted[:, None, None, :].expand(-1, 1, height, -1)))
    return images + per_image(opacity) * 0.7 * streak * (0.9 - images)
