"""Operators that map each pixel's value; all but equalize and autocontrast look at no other pixel's place.

The enhancers follow PIL and torchvision (a blend with black, with the mean grey, with the grey image), for which
Kornia has the functions. What "grey" is: ITU-R 601 for 3 channels, the channel mean otherwise; images of one channel
are grey already.
"""

from __future__ import annotations

from functools import partial

import torch
from kornia.color import rgb_to_grayscale
from kornia.enhance import adjust_brightness_accumulative
from torch import Tensor

from autoaug.modalities.image.gradients import round_through, straight_through
from autoaug.operators import operator

colour = partial(operator, modality="image", family="colour")


def per_image(value: Tensor) -> Tensor:
    """``[n]`` as ``[n, 1, 1, 1]``."""
    return value[:, None, None, None]


def grey(images: Tensor) -> Tensor:
    """The grey image ``[n, 1, H, W]`` of ``[n, C, H, W]``."""
    return rgb_to_grayscale(images) if images.shape[1] == 3 else images.mean(1, keepdim=True)


def blend(images: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """``images`` at weight 0, ``other`` at weight 1 (``[n]``), extrapolated beyond and cut to [0, 1]."""
    return torch.lerp(images, other.expand_as(images), per_image(weight)).clamp(0, 1)


@colour("Identity", unit="none")
def identity(images: Tensor, value: Tensor, draws: Tensor) -> Tensor:
    """Leave the image as it is."""
    return images


@colour("Brightness", unit="factor - 1", limit=1.0, signed=True)
def brightness(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    """Multiply by a factor between 0 (black) and 2."""
    adjusted: Tensor = adjust_brightness_accumulative(images, 1 + change)
    return adjusted


@colour("Contrast", unit="factor - 1", limit=1.0, signed=True)
def contrast(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    """Multiply the distance from the image's mean grey by a factor between 0 (flat) and 2."""
    return blend(images, grey(images).mean((-3, -2, -1), keepdim=True), -change)


@colour("Saturation", unit="factor - 1", limit=1.0, signed=True)
def saturation(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    """Multiply the distance from grey by a factor between 0 (grey) and 2; one channel stays as it is."""
    return images if images.shape[1] == 1 else blend(images, grey(images), -change)


@colour("Grayscale", unit="share of grey")
def grayscale(images: Tensor, share: Tensor, draws: Tensor) -> Tensor:
    """Blend with the grey image; one channel stays as it is."""
    return images if images.shape[1] == 1 else blend(images, grey(images), share)


@colour("Invert", unit="switch")
def invert(images: Tensor, on: Tensor, draws: Tensor) -> Tensor:
    """Make the negative."""
    return blend(images, 1 - images, round_through(on))


@colour("Solarize", unit="1 - threshold")
def solarize(images: Tensor, depth: Tensor, draws: Tensor) -> Tensor:
    """Invert the values at or above a threshold that sinks from 1 to 0."""
    above = (images >= 1 - per_image(depth)) & (per_image(depth) > 0)
    return torch.where(above, 1 - images, images)


@colour("Posterize", unit="bits removed", limit=7.0)
def posterize(images: Tensor, bits: Tensor, draws: Tensor) -> Tensor:
    """Keep the highest of 8 bits a channel, rounding the number of bits, as torchvision does."""
    step = torch.exp2(per_image(round_through(bits)))
    levels = (images.detach() * 255 + 1e-3).floor()
    stepped = (levels / step).floor() * step / 255
    return straight_through(torch.where(step > 1, stepped, images), images)


@colour("AutoContrast", unit="share of the stretched image")
def autocontrast(images: Tensor, share: Tensor, draws: Tensor) -> Tensor:
    """Blend with the image whose channels are stretched to the full range; flat channels stay."""
    low, high = images.amin((-2, -1), keepdim=True), images.amax((-2, -1), keepdim=True)
    flat = high - low < 1e-6
    stretched = (images - low) / torch.where(flat, 1, high - low)
    return blend(images, torch.where(flat, images, stretched), share)


@colour("Equalize", unit="share of the equalized image")
def equalize(images: Tensor, share: Tensor, draws: Tensor) -> Tensor:
    """Blend with the image whose channels have flat histograms (PIL's algorithm on 256 levels)."""
    channels = images.detach().flatten(2).flatten(0, 1)
    levels = (channels * 255 + 0.5).long().clamp(0, 255)
    histogram = torch.zeros(len(channels), 256, dtype=torch.int64, device=images.device)
    histogram.scatter_add_(1, levels, torch.ones_like(levels))
    highest = levels.amax(1, keepdim=True)
    step = (levels.shape[1] - histogram.gather(1, highest)) // 255
    before = histogram.cumsum(1) - histogram
    table = ((before + step // 2) // step.clamp(min=1)).clamp(0, 255)
    table = torch.where(step > 0, table, torch.arange(256, device=images.device))
    equalized = (table.gather(1, levels).to(images.dtype) / 255).view_as(images)
    unchanged = (step == 0).view(*images.shape[:2], 1, 1)
    return blend(images, straight_through(torch.where(unchanged, images, equalized), images), share)
