"""Operators on neighbourhoods and on the sensor: sharpness, blur, noise."""

from __future__ import annotations

import math
from functools import partial

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from autoaug.modalities.image.colour import blend, per_image
from autoaug.noise import normal_noise
from autoaug.operators import operator

quality = partial(operator, modality="image", family="quality")


@quality("Sharpness", unit="factor - 1", limit=1.0, signed=True)
def sharpness(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    """Multiply the distance from PIL's smoothed image by a factor between 0 (smooth) and 2; the border stays."""
    if min(images.shape[-2:]) < 3:
        return images
    centre = images[..., 1:-1, 1:-1]
    rows = images[..., :-2, :] + images[..., 1:-1, :] + images[..., 2:, :]
    box = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    smooth = images.clone()
    smooth[..., 1:-1, 1:-1] = (box + 4 * centre) / 13
    return blend(images, smooth, -change)


@quality("GaussianBlur", unit="standard deviation, fraction of the shorter side", limit=0.06)
def gaussian_blur(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    """Smooth with a Gaussian kernel, reflecting at the border."""
    shorter = min(images.shape[-2:])
    sigma = fraction * shorter
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1)
    if radius < 1:
        return images
    # A Gaussian narrower than a tenth of a pixel is the identity in float32, and 0 would divide by 0.
    safe = sigma.clamp(min=0.05)[:, None].expand(-1, 2)
    blurred = gaussian_blur2d(images, 2 * radius + 1, safe, border_type="reflect")
    return torch.where(per_image(sigma) > 0, blurred, images).clamp(0, 1)


@quality("GaussianNoise", unit="standard deviation", limit=0.3)
def gaussian_noise(images: Tensor, sigma: Tensor, draws: Tensor) -> Tensor:
    """Add Gaussian noise, independent for every pixel and channel, and cut to [0, 1]."""
    return (images + per_image(sigma) * normal_noise(draws, images)).clamp(0, 1)
