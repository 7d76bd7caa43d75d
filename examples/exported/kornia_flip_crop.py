# Augmentation policy 'flip-crop' (324c80e51768), batched, on any device, with Kornia.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images); torch.manual_seed seeds it

from typing import Any

import kornia.augmentation as K
import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


class RandomWarp(K.GeometricAugmentationBase2D):
    """Move pixels by a function with arguments drawn evenly; it gives the first rows of matrices from points (x, y, 1),
    counted from the centers of pixels, to their new places.
    """

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        super().__init__(p=p)
        self.function, self.ends = function, ends

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        return {name: torch.empty(batch_shape[0]).uniform_(*ends) for name, ends in self.ends.items()}

    def compute_transformation(self, input: Tensor, params: Any, flags: Any) -> Tensor:
        drawn = {name: params[name].to(input) for name in self.ends}
        zero, one = input.new_zeros(len(input)), input.new_ones(len(input))
        rows = [*self.function(*input.shape[-2:], **drawn), (0.0, 0.0, 1.0)]
        return torch.stack([value * one + zero for row in rows for value in row], -1).view(-1, 3, 3)

    def apply_transform(self, input: Tensor, params: Any, flags: Any, transform: Any = None) -> Tensor:
        return warp_affine(input, transform[:, :2], input.shape[-2:])


def check(images: Any) -> None:
    """Raise ValueError for images whose values would be misread."""
    found, good = type(images).__name__, False
    if isinstance(images, Tensor):
        found, good = f"{images.dtype} {list(images.shape)}", images.dtype == torch.uint8 or images.is_floating_point()
        if images.is_floating_point() and images.numel():
            low, high = images.aminmax()
            found, good = f"{found} from {low:g} to {high:g}", bool(-1e-3 <= low <= high <= 1.001)
        good = good and images.ndim in (3, 4) and 0 not in images.shape[-3:]
    if not good:
        raise ValueError(f"images must be [B, C, H, W] or [C, H, W], uint8 or floats in [0, 1], not {found}")


def pad_crop(height: int, width: int, padding: Tensor, x: Tensor, y: Tensor) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (padding * height).round(), (padding * width).round()
    right, below = across - (x * (2 * across + 1)).floor(), down - (y * (2 * down + 1)).floor()
    return (1.0, 0.0, right), (0.0, 1.0, below)


class Augment(nn.Sequential):
    """The policy for images ``[B, C, H, W]`` or ``[C, H, W]``, uint8 or floats in [0, 1], on any device; each image is
    augmented for itself.
    """

    def __init__(self) -> None:
        super().__init__(*[
            K.RandomHorizontalFlip(p=0.5),
            RandomWarp(pad_crop, padding=(0.125, 0.125), x=(0, 1), y=(0, 1)),
        ])

    def forward(self, images: Tensor) -> Tensor:
        check(images)
        floats = images / 255 if images.dtype == torch.uint8 else images.float().clamp(0, 1)
        with torch.autocast(images.device.type, enabled=False):  # 16-bit coordinates are too coarse
            made = super().forward(floats.view(-1, *images.shape[-3:])).view(images.shape)
        return (made * 255).round().to(torch.uint8) if images.dtype == torch.uint8 else made.to(images.dtype)
