"""Operators that Kornia has: ``(images [n, C, H, W], value [n], uniforms [n, 4]) -> images``."""

from __future__ import annotations

import kornia.enhance as E
import torch
from torch import Tensor

from autoaug.modalities.image.tone import per_image


def brightness(images: Tensor, change: Tensor, uniforms: Tensor) -> Tensor:
    return E.adjust_brightness_accumulative(images, 1 + change)


def contrast(images: Tensor, change: Tensor, uniforms: Tensor) -> Tensor:
    return E.adjust_contrast_with_mean_subtraction(images, 1 + change)


def invert(images: Tensor, on: Tensor, uniforms: Tensor) -> Tensor:
    return torch.where(per_image(on) >= 0.5, E.invert(images, images.new_ones(1)), images)


def solarize(images: Tensor, depth: Tensor, uniforms: Tensor) -> Tensor:
    above = (images >= 1 - per_image(depth) - 1e-4) & (per_image(depth) > 0)
    return torch.where(above, E.invert(images, images.new_ones(1)), images)
