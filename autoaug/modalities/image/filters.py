"""Operators on a pixel's neighborhood: sharper, smoother, embossed."""

from __future__ import annotations

import math
from functools import partial

import torch
from kornia.filters import filter2d_separable, get_gaussian_kernel1d
from kornia.filters import median_blur as median_of
from torch import Tensor
from torch.nn.functional import conv2d, pad

from autoaug.modalities.image.tone import blend, per_image
from autoaug.modalities.operators import operator

filters = partial(operator, modality="image", family="filters")


@filters("Sharpness", unit="relative change", limit=1.0, signed=True)
def sharpness(images: Tensor, change: Tensor, uniforms: Tensor) -> Tensor:
    """Multiply the distance from PIL's smoothed image by a factor between 0 (smooth) and 2; the border stays."""
    if min(images.shape[-2:]) < 3:
        return images
    center = images[..., 1:-1, 1:-1]
    rows = images[..., :-2, :] + images[..., 1:-1, :] + images[..., 2:, :]
    box = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    smooth = images.clone()
    smooth[..., 1:-1, 1:-1] = (box + 4 * center) / 13
    return blend(images, smooth, -change)


@filters("GaussianBlur", unit="standard deviation, fraction of the shorter side", limit=0.06)
def gaussian_blur(images: Tensor, fraction: Tensor, uniforms: Tensor) -> Tensor:
    """Smooth with a Gaussian kernel, reflecting at the border."""
    shorter = min(images.shape[-2:])
    sigma = fraction * shorter
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1)
    if radius < 1:
        return images
    # A Gaussian narrower than a tenth of a pixel is the identity in float32, and 0 would divide by 0.
    kernel = get_gaussian_kernel1d(2 * radius + 1, sigma.clamp(min=0.05)[:, None])
    blurred = filter2d_separable(images, kernel, kernel, border_type="reflect")
    return torch.where(per_image(sigma) > 0, blurred, images).clamp(0, 1)


@filters("MedianBlur", unit="share of the filtered image")
def median_blur(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with the median of each pixel and its 8 neighbors; the border is repeated."""
    return blend(images, median_of(images, 3, "replicate"), share)


@filters("MotionBlur", unit="length, fraction of the shorter side", limit=0.25)
def motion_blur(images: Tensor, fraction: Tensor, uniforms: Tensor) -> Tensor:
    """Smear along a line of random direction; the border is repeated."""
    n, channels, height, width = images.shape
    length = fraction * min(height, width)
    radius = math.ceil(0.25 * min(height, width) / 2)
    offset = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    angle = math.pi * uniforms[:, :1, None].to(images.dtype)
    along = offset * angle.cos() + offset[:, None] * angle.sin()
    across = offset * angle.sin() - offset[:, None] * angle.cos()
    # A pixel's weight falls with its distance from the line, down to 0 at one pixel.
    beyond = (along.abs() - length[:, None, None] / 2).clamp(min=0)
    kernel = (1 - torch.sqrt(across.square() + beyond.square() + 1e-12)).clamp(min=0)
    kernel = kernel / kernel.sum((1, 2), keepdim=True)
    weight = kernel.repeat_interleave(channels, 0)[:, None]
    wide = pad(images, (radius, radius, radius, radius), mode="replicate")
    planes = wide.reshape(1, n * channels, *wide.shape[-2:])
    return conv2d(planes, weight, groups=n * channels).view_as(images).clamp(0, 1)


@filters("Emboss", unit="strength of the relief")
def emboss(images: Tensor, strength: Tensor, uniforms: Tensor) -> Tensor:
    """Add the slope toward the lower right, as if lit from there; the border is repeated."""
    wide = pad(images, (1, 1, 1, 1), mode="replicate")
    slope = wide[..., 2:, 2:] - wide[..., :-2, :-2]
    return (images + per_image(strength) * slope).clamp(0, 1)
