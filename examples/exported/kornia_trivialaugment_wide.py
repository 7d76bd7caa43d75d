# Augmentation policy 'trivialaugment-wide' (5221c6efb00e), batched, on any device, with Kornia.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images); torch.manual_seed seeds it

from collections.abc import Sequence
from typing import Any

import kornia.augmentation as K
import kornia.enhance as E
import torch
from kornia.geometry.transform import warp_affine
from torch import Tensor, nn


class OneOf(nn.Module):
    """One of several transforms, drawn for each image with their probabilities, or evenly."""

    def __init__(self, transforms: Sequence[nn.Module], p: Sequence[float] | None = None) -> None:
        super().__init__()
        self.transforms, self.p = nn.ModuleList(transforms), p or [1 / len(transforms)] * len(transforms)

    def forward(self, images: Tensor) -> Tensor:
        chosen = torch.multinomial(torch.tensor(self.p), max(len(images), 1), replacement=True)
        made = images.clone()
        for index, transform in enumerate(self.transforms):
            rows = (chosen[: len(images)] == index).nonzero()[:, 0].to(images.device)
            if len(rows):
                made[rows] = transform(images[rows])
        return made


class RandomValue(K.IntensityAugmentationBase2D):
    """Apply a function of images, with arguments drawn evenly between their ends for each."""

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        super().__init__(p=p)
        self.function, self.ends = function, ends

    def generate_parameters(self, batch_shape: tuple[int, ...]) -> dict[str, Tensor]:
        return {name: torch.empty(batch_shape[0]).uniform_(*ends) for name, ends in self.ends.items()}

    def apply_transform(self, input: Tensor, params: Any, flags: Any, transform: Any = None) -> Tensor:
        return self.function(input, **{name: params[name].to(input) for name in self.ends})


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


def saturation(images: Tensor, factor: Tensor) -> Tensor:
    return E.adjust_saturation_with_gray_subtraction(images, factor) if images.shape[1] == 3 else images


def shear(height: int, width: int, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Shear by slopes, about the upper left corner."""
    return (1.0, -x, -x / 2), (-y, 1.0, -y / 2)


def translate(height: int, width: int, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Move by fractions of the size, in whole pixels."""
    right, down = (torch.as_tensor(move * 1000).round().div(1000).trunc() for move in (x * width, y * height))
    return (1.0, 0.0, right), (0.0, 1.0, down)


class Augment(nn.Sequential):
    """The policy for images ``[B, C, H, W]`` or ``[C, H, W]``, uint8 or floats in [0, 1], on any device; each image is
    augmented for itself.
    """

    def __init__(self) -> None:
        super().__init__(*[
            OneOf([
                nn.Identity(),
                RandomWarp(shear, x=(-0.99, 0.99)),
                RandomWarp(shear, y=(-0.99, 0.99)),
                RandomWarp(translate, x=(-0.142857, 0.142857)),
                RandomWarp(translate, y=(-0.142857, 0.142857)),
                K.RandomRotation((-135, 135), p=1),
                RandomValue(E.adjust_brightness_accumulative, factor=(0.01, 1.99)),
                RandomValue(saturation, factor=(0.01, 1.99)),
                RandomValue(E.adjust_contrast_with_mean_subtraction, factor=(0.01, 1.99)),
                K.RandomSharpness((0.01, 1.99), p=1),
                K.RandomPosterize((2, 8), p=1),
                K.RandomSolarize((0, 1), additions=(0, 0), p=1),
                K.RandomAutoContrast(p=1),
                K.RandomEqualize(p=1),
            ]),
        ])

    def forward(self, images: Tensor) -> Tensor:
        check(images)
        floats = images / 255 if images.dtype == torch.uint8 else images.float().clamp(0, 1)
        with torch.autocast(images.device.type, enabled=False):  # 16-bit coordinates are too coarse
            made = super().forward(floats.view(-1, *images.shape[-3:])).view(images.shape)
        return (made * 255).round().to(torch.uint8) if images.dtype == torch.uint8 else made.to(images.dtype)
