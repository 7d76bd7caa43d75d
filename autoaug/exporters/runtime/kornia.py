"""Every image operator in terms of Kornia: ``(images [n, C, H, W], value [n], draws [n, 4]) -> images``."""

from __future__ import annotations

import math
from collections.abc import Callable

import kornia.enhance as E
import kornia.geometry.transform as G
import torch
from kornia.color import rgb_to_grayscale
from kornia.filters import gaussian_blur2d
from torch import Tensor

from autoaug.noise import normal_noise


def apply_operations(images: Tensor, choice: Tensor, magnitude: Tensor, draws: Tensor) -> Tensor:
    """Apply to each image its operators in turn: in every step, all images with the same operator at once."""
    images = images.clone()
    for step in range(len(choice)):
        for index, (function, limit) in enumerate(OPERATORS):
            rows = (choice[step] == index).nonzero().squeeze(1)
            if len(rows):
                value = (magnitude[step, rows] * limit).to(images)
                images[rows] = function(images[rows], value, draws[step, rows].to(images)).clamp(0, 1)
    return images


def identity(images: Tensor, value: Tensor, draws: Tensor) -> Tensor:
    return images


def per_image(value: Tensor) -> Tensor:
    return value[:, None, None, None]


def horizontal_flip(images: Tensor, on: Tensor, draws: Tensor) -> Tensor:
    return torch.where(per_image(on) >= 0.5, G.hflip(images), images)


def vertical_flip(images: Tensor, on: Tensor, draws: Tensor) -> Tensor:
    return torch.where(per_image(on) >= 0.5, G.vflip(images), images)


def rotate(images: Tensor, degrees: Tensor, draws: Tensor) -> Tensor:
    return G.rotate(images, degrees, padding_mode="zeros")


def shear(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Shear about the top-left corner, which lies half a pixel before the first pixel."""
    one = torch.ones_like(x)
    matrix = torch.stack([torch.stack([one, -x, -x / 2], 1), torch.stack([-y, one, -y / 2], 1)], 1)
    return G.warp_affine(images, matrix, images.shape[-2:])


def shear_x(images: Tensor, slope: Tensor, draws: Tensor) -> Tensor:
    return shear(images, slope, torch.zeros_like(slope))


def shear_y(images: Tensor, slope: Tensor, draws: Tensor) -> Tensor:
    return shear(images, torch.zeros_like(slope), slope)


def whole_pixels(fraction: Tensor, length: int) -> Tensor:
    return (fraction * length + 1e-3 * fraction.sign()).trunc()


def translate_x(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    x = whole_pixels(fraction, images.shape[-1])
    return G.translate(images, torch.stack([x, torch.zeros_like(x)], 1))


def translate_y(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    y = whole_pixels(fraction, images.shape[-2])
    return G.translate(images, torch.stack([torch.zeros_like(y), y], 1))


def scale(images: Tensor, octaves: Tensor, draws: Tensor) -> Tensor:
    return G.scale(images, torch.exp2(octaves)[:, None].expand(-1, 2))


def pad_crop(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    x, y = (fraction * width).round(), (fraction * height).round()
    left, top = (draws[:, 0] * (2 * x + 1)).floor(), (draws[:, 1] * (2 * y + 1)).floor()
    return G.translate(images, torch.stack([x - left, y - top], 1))


def brightness(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    return E.adjust_brightness_accumulative(images, 1 + change)


def contrast(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    return E.adjust_contrast_with_mean_subtraction(images, 1 + change)


def saturation(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    grey = rgb_to_grayscale(images) if images.shape[1] == 3 else images.mean(1, keepdim=True)
    return torch.lerp(images, grey.expand_as(images), per_image(-change)).clamp(0, 1)


def grayscale(images: Tensor, share: Tensor, draws: Tensor) -> Tensor:
    return saturation(images, -share, draws)


def invert(images: Tensor, on: Tensor, draws: Tensor) -> Tensor:
    return torch.where(per_image(on) >= 0.5, E.invert(images), images)


def solarize(images: Tensor, depth: Tensor, draws: Tensor) -> Tensor:
    above = (images >= 1 - per_image(depth)) & (per_image(depth) > 0)
    return torch.where(above, E.invert(images), images)


def posterize(images: Tensor, bits: Tensor, draws: Tensor) -> Tensor:
    step = torch.exp2((per_image(bits) + 0.5).floor())
    levels = (images * 255 + 1e-3).floor()
    return torch.where(step > 1, (levels / step).floor() * step / 255, images)


def autocontrast(images: Tensor, share: Tensor, draws: Tensor) -> Tensor:
    low, high = images.amin((-2, -1), keepdim=True), images.amax((-2, -1), keepdim=True)
    flat = high - low < 1e-6
    stretched = torch.where(flat, images, (images - low) / torch.where(flat, 1, high - low))
    return torch.lerp(images, stretched, per_image(share))


def equalize(images: Tensor, share: Tensor, draws: Tensor) -> Tensor:
    """PIL's algorithm, channel by channel; Kornia's differs from it where an image has few levels."""
    levels = (images * 255 + 0.5).long().flatten(2).flatten(0, 1)
    histogram = torch.zeros(len(levels), 256, dtype=torch.long, device=images.device)
    histogram.scatter_add_(1, levels, torch.ones_like(levels))
    step = (levels.shape[1] - histogram.gather(1, levels.amax(1, keepdim=True))) // 255
    table = ((histogram.cumsum(1) - histogram + step // 2) // step.clamp(min=1)).clamp(0, 255)
    equalized = (table.gather(1, levels).to(images.dtype) / 255).view_as(images)
    unchanged = (step == 0).view(*images.shape[:2], 1, 1)
    return torch.lerp(images, torch.where(unchanged, images, equalized), per_image(share))


def sharpness(images: Tensor, change: Tensor, draws: Tensor) -> Tensor:
    """PIL's enhancer, which Kornia has in one direction only."""
    if min(images.shape[-2:]) < 3:
        return images
    kernel = images.new_tensor([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13
    channels = images.shape[1]
    smooth = images.clone()
    weight = kernel.expand(channels, 1, 3, 3)
    smooth[..., 1:-1, 1:-1] = torch.nn.functional.conv2d(images, weight, groups=channels)
    return torch.lerp(images, smooth, per_image(-change)).clamp(0, 1)


def gaussian_blur(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    shorter = min(images.shape[-2:])
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1)
    if not radius:
        return images
    sigma = fraction * shorter
    blurred = gaussian_blur2d(images, 2 * radius + 1, sigma.clamp(min=0.05)[:, None].expand(-1, 2))
    return torch.where(per_image(sigma) > 0, blurred, images)


def gaussian_noise(images: Tensor, sigma: Tensor, draws: Tensor) -> Tensor:
    return images + per_image(sigma) * normal_noise(draws, images)


def cutout(images: Tensor, fraction: Tensor, draws: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    half = fraction[:, None] * min(height, width) / 2
    rows = (torch.arange(height).to(images)[None] + 0.5 - draws[:, :1] * height).abs() < half
    columns = (torch.arange(width).to(images)[None] + 0.5 - draws[:, 1:2] * width).abs() < half
    return torch.where(rows[:, None, :, None] & columns[:, None, None, :], 0.5, images)


#: What `apply_operations` looks operators up in; an exported module has its own.
OPERATORS: list[tuple[Callable[[Tensor, Tensor, Tensor], Tensor], float]] = []
