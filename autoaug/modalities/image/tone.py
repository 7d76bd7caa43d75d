"""Operators that map each pixel value by a curve, either fixed or computed from the image's histogram."""

from __future__ import annotations

import math
from functools import partial

import torch
from kornia.enhance import adjust_hue
from torch import Tensor

from autoaug.functional.straight_through import straight_through
from autoaug.modalities.operators import operator

tone = partial(operator, modality="image", family="tone")


def per_image(value: Tensor) -> Tensor:
    """``[n]`` as ``[n, 1, 1, 1]``."""
    return value.view(-1, 1, 1, 1)


def blend(images: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """``images`` at weight 0, ``other`` at weight 1 (``[n]``), extrapolated beyond and clipped to [0, 1]."""
    return torch.lerp(images, other.expand_as(images), per_image(weight)).clamp(0, 1)


@tone("Solarize", unit="below white")
def solarize(images: Tensor, depth: Tensor, uniforms: Tensor) -> Tensor:
    """Invert the values at or above a threshold that falls from 1 to 0."""
    threshold = 1 - per_image(depth)
    first = torch.where(threshold < 1, threshold - 1e-4, 2)  # a level equal to the threshold counts as above it
    solarized = torch.where(images < first, images, 1 - images)
    if not depth.requires_grad:
        return solarized
    # The gradient with respect to the threshold is that of a smooth step, a twentieth of the range wide.
    smooth = (1 - 2 * images.detach()) * torch.sigmoid(20 * (images.detach() - threshold))
    return solarized + smooth - smooth.detach()


@tone("Posterize", unit="bits removed", limit=7.0)
def posterize(images: Tensor, bits: Tensor, uniforms: Tensor) -> Tensor:
    """Keep only the highest of 8 bits per channel.

    The value is the number of bits removed, rounded. torchvision, the papers and timm give the number of bits kept: 4
    to 8 (AutoAugment, RandAugment) or 2 to 8 (TrivialAugment, wide); timm also has other variants.
    """
    step = torch.exp2(per_image((bits.detach() + 0.5).floor()))
    levels = (images.detach() * 255 + 1e-3).floor()
    stepped = torch.where(step > 1, (levels / step).floor() * step / 255, images.detach())
    if not images.requires_grad and not bits.requires_grad:
        return stepped
    # As a gradient: what is lost doubles with every bit.
    lost = (stepped - images).detach() * math.log(2)
    return straight_through(stepped, images + per_image(bits) * lost)


@tone("Equalize", unit="share of the equalized image")
def equalize(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with the image whose channels have flat histograms (PIL's algorithm on 256 levels)."""
    levels = (images.detach() * 255 + 0.5).long().clamp_(0, 255).flatten(2).flatten(0, 1)
    histogram = torch.zeros(len(levels), 256, dtype=torch.int64, device=images.device)
    histogram.scatter_add_(1, levels, torch.ones((), dtype=torch.int64, device=images.device).expand_as(levels))
    step = (levels.shape[1] - histogram.gather(1, levels.amax(1, keepdim=True))) // 255
    before = histogram.cumsum(1) - histogram
    table = ((before + step // 2) // step.clamp(min=1)).clamp_(0, 255).to(images.dtype) / 255
    equalized = torch.where(step > 0, table.gather(1, levels), images.detach().flatten(2).flatten(0, 1))
    return torch.lerp(images, straight_through(equalized.view_as(images), images), per_image(share).expand_as(images))


@tone("SolarizeAdd", unit="added to values below one half", limit=0.43)
def solarize_add(images: Tensor, added: Tensor, uniforms: Tensor) -> Tensor:
    """Raise the values below one half, as in TensorFlow's AutoAugment (by up to 110 of 255)."""
    return torch.where(images < 0.5, (images + per_image(added)).clamp(0, 1), images)


@tone("Gamma", unit="octaves of the exponent", limit=1.5, signed=True)
def gamma(images: Tensor, octaves: Tensor, uniforms: Tensor) -> Tensor:
    """Raise the values to a power below 1 (brighter) or above (darker)."""
    dark = images < 1e-6  # where a root has an infinite gradient
    return torch.where(dark, images, torch.where(dark, 1, images) ** torch.exp2(per_image(octaves)))


@tone("Hue", unit="turns", limit=0.5, signed=True)
def hue(images: Tensor, turns: Tensor, uniforms: Tensor) -> Tensor:
    """Rotate the hue in the HSV color model; other than 3 channels stay as they are."""
    if images.shape[1] != 3:
        return images
    turned: Tensor = adjust_hue(images, turns * 2 * torch.pi)
    return torch.where(per_image(turns) == 0, images, turned).clamp(0, 1)


@tone("CLAHE", unit="share of the equalized image")
def clahe(images: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blend with the image that is equalized locally, with limited contrast (Zuiderveld, 1994).

    Each channel is divided into 4 x 4 tiles. Histogram bins of a tile are limited to 4 times the mean, and the curves
    are interpolated between the tile centers.
    """
    n, channels, height, width = images.shape
    rows, columns = min(4, height), min(4, width)
    levels = (images.detach() * 255 + 0.5).long().clamp(0, 255).reshape(n * channels, height, width)
    y, x = torch.arange(height, device=images.device), torch.arange(width, device=images.device)
    tile = (y * rows // height)[:, None] * columns + x * columns // width
    counts = torch.zeros(n * channels, rows * columns * 256, dtype=torch.float32, device=images.device)
    counts.scatter_add_(1, (tile * 256 + levels).flatten(1), torch.ones_like(levels.flatten(1), dtype=counts.dtype))
    pixels = _tiled(y, height, rows)[:, None] * _tiled(x, width, columns)  # of each tile
    share_of_bin = counts.view(n * channels, -1, 256) / pixels.view(-1, 1)
    limited = share_of_bin.clamp(max=4 / 256)
    limited = limited + (1 - limited.sum(-1, keepdim=True)) / 256
    curve = (limited.cumsum(-1) - limited / 2).to(images.dtype)
    equalized = torch.zeros_like(levels, dtype=images.dtype)
    for row, down in _neighbors(y, height, rows):
        for column, across in _neighbors(x, width, columns):
            corner = curve.flatten(1).gather(1, ((row[:, None] * columns + column) * 256 + levels).flatten(1))
            equalized += (down[:, None] * across).to(images.dtype) * corner.view_as(levels)
    return torch.lerp(images, straight_through(equalized.view_as(images), images), per_image(share).expand_as(images))


def _tiled(position: Tensor, length: int, tiles: int) -> Tensor:
    """How many positions each tile has, ``[tiles]``."""
    return (position * tiles // length == torch.arange(tiles, device=position.device)[:, None]).sum(1)


def _neighbors(position: Tensor, length: int, tiles: int) -> list[tuple[Tensor, Tensor]]:
    """The two tiles whose centers surround each position, with their weights."""
    place = ((position.float() + 0.5) * tiles / length - 0.5).clamp(0, tiles - 1)
    before = place.floor().long()
    return [(before, 1 - (place - before)), ((before + 1).clamp(max=tiles - 1), place - before)]
