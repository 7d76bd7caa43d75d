# Augmentation policy 'flip-crop' (324c80e51768), batched, on any device, with Kornia.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images); torch.manual_seed seeds it

from typing import Any

import kornia.augmentation as K
import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


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


def pad_crop(images: Tensor, padding: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = ((padding * length).round() for length in images.shape[-2:])
    right, below = across - (x * (2 * across + 1)).floor(), down - (y * (2 * down + 1)).floor()
    return warp(images, 1, 0, right, 0, 1, below)


class Augment(nn.Sequential):
    """The policy for images ``[B, C, H, W]`` or ``[C, H, W]``, uint8 or floats in [0, 1], each augmented for itself."""

    def __init__(self) -> None:
        super().__init__(
            K.RandomHorizontalFlip(p=0.5),
            Random(pad_crop, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
        )

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
