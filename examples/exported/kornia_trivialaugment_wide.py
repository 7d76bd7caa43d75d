# Augmentation policy 'trivialaugment-wide' (5221c6efb00e), batched, on any device, with Kornia.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images); torch.manual_seed seeds it

from typing import Any

import kornia.augmentation as K
import kornia.enhance as E
import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


class OneOf(nn.ModuleList):
    """One of several modules for each image, drawn evenly or with their probabilities."""

    def __init__(self, modules: list[nn.Module], p: list[float] | None = None) -> None:
        super().__init__(modules)
        self.bounds = torch.tensor(p or [1 / len(modules)] * len(modules)).cumsum(0)[:-1]

    def forward(self, images: Tensor) -> Tensor:
        made, drawn = images.clone(), torch.bucketize(torch.rand(len(images)), self.bounds)
        for index in sorted(set(drawn.tolist())):
            made[drawn == index] = self[index](images[drawn == index])
        return made


class Random(nn.Module):
    """A function of images and of arguments for each, which are drawn evenly between their ends."""

    def __init__(self, function: Any, **ends: tuple[float, float]) -> None:
        super().__init__()
        self.function, self.ends = function, ends

    def forward(self, images: Tensor) -> Tensor:
        drawn = {name: torch.empty(len(images)).uniform_(*ends).to(images) for name, ends in self.ends.items()}
        return self.function(images, **drawn).clamp(0, 1)


def warp(images: Tensor, *rows: Any) -> Tensor:
    """Move points (x, y, 1), counted from pixel centers, by a matrix, whose first two rows are given."""
    matrix = [torch.as_tensor(number).to(images).expand(len(images)) for number in rows]
    return warp_affine(images, torch.stack(matrix, 1).view(-1, 2, 3), images.shape[-2:])


def affine(images: Tensor, shear_x: Any = 0.0, shear_y: Any = 0.0, x: Any = 0.0, y: Any = 0.0) -> Tensor:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    moves = (x * images.shape[-1], y * images.shape[-2])
    right, down = (torch.as_tensor(move).round(decimals=3).trunc() for move in moves)
    return warp(images, 1, -shear_x, right - shear_x / 2, -shear_y, 1, down - shear_y / 2)


def autocontrast(images: Tensor) -> Tensor:
    """Stretch each channel to the full range; flat ones stay, which Kornia's own makes black."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    return torch.where(high > low, (images - low) / (high - low).clamp(min=1e-6), images)


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    if images.shape[1] == 3:
        return E.adjust_saturation_with_gray_subtraction(images, factor)
    return torch.lerp(images.mean(1, keepdim=True), images, factor.view(-1, 1, 1, 1))


def sharpness(images: Tensor, factor: Tensor) -> Tensor:
    return E.sharpness(images, factor) if min(images.shape[-2:]) > 2 else images


class Augment(nn.Sequential):
    """The policy for images ``[B, C, H, W]`` or ``[C, H, W]``, uint8 or floats in [0, 1], each augmented for itself."""

    def __init__(self) -> None:
        super().__init__(OneOf([
            nn.Identity(),
            Random(affine, shear_x=(-0.99, 0.99)),
            Random(affine, shear_y=(-0.99, 0.99)),
            Random(affine, x=(-0.142857, 0.142857)),
            Random(affine, y=(-0.142857, 0.142857)),
            K.RandomRotation((-135, 135), p=1),
            K.ColorJitter(brightness=(0.01, 1.99), p=1),
            Random(saturation, factor=(0.01, 1.99)),
            K.ColorJitter(contrast=(0.01, 1.99), p=1),
            Random(sharpness, factor=(0.01, 1.99)),
            K.RandomPosterize((2, 8), p=1),
            K.RandomSolarize((0, 1), additions=(0, 0), p=1),
            Random(autocontrast),
            K.RandomEqualize(p=1),
        ]))

    def forward(self, images: Tensor) -> Tensor:
        real = isinstance(images, Tensor) and not images.is_complex()
        low, high = images.aminmax() if real and images.numel() else (0, 0)
        good = real and (images.dtype == torch.uint8 or (images.is_floating_point() and -1e-3 <= low <= high <= 1.001))
        if not good or images.ndim not in (3, 4) or 0 in images.shape[-3:]:
            found = f"{images.dtype} {list(images.shape)} from {low:g} to {high:g}" if real else type(images).__name__
            raise ValueError(f"images must be [B, C, H, W] or [C, H, W], uint8 or floats in [0, 1], not {found}")
        floats = images / 255 if images.dtype == torch.uint8 else images.float().clamp(0, 1)
        with torch.autocast(images.device.type, enabled=False):  # 16-bit coordinates are too coarse
            made = super().forward(floats.view(-1, *images.shape[-3:])).view(images.shape)
        return (made * 255).round().to(torch.uint8) if images.dtype == torch.uint8 else made.to(images.dtype)
