# Augmentation policy 'autoaugment-cifar10' (9e092111df13), batched, on any device, with Kornia.
# Exported by autoaug 0.1.0; runs without it: images = Augment()(images); torch.manual_seed seeds it
# Movements in a row are sampled one by one, as usual in kornia; --exact composes them.

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
                nn.Sequential(
                    K.RandomInvert(p=0.1),
                    OneOf([
                        RandomValue(E.adjust_contrast_with_mean_subtraction, p=0.2, factor=(0.4, 0.4)),
                        RandomValue(E.adjust_contrast_with_mean_subtraction, p=0.2, factor=(1.6, 1.6)),
                    ]),
                ),
                nn.Sequential(
                    OneOf([K.RandomRotation((-6.66666, -6.66666), p=0.7), K.RandomRotation((6.66666, 6.66666), p=0.7)]),
                    OneOf([
                        RandomWarp(translate, p=0.3, x=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.3, x=(0.453172, 0.453172)),
                    ]),
                ),
                nn.Sequential(
                    OneOf([K.RandomSharpness((0.9, 0.9), p=0.8), K.RandomSharpness((1.1, 1.1), p=0.8)]),
                    OneOf([K.RandomSharpness((0.7, 0.7), p=0.9), K.RandomSharpness((1.3, 1.3), p=0.9)]),
                ),
                nn.Sequential(
                    OneOf([
                        RandomWarp(shear, p=0.5, y=(-0.266667, -0.266667)),
                        RandomWarp(shear, p=0.5, y=(0.266667, 0.266667)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.7, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                ),
                nn.Sequential(K.RandomAutoContrast(p=0.5), K.RandomEqualize(p=0.9)),
                nn.Sequential(
                    OneOf([
                        RandomWarp(shear, p=0.2, y=(-0.233333, -0.233333)),
                        RandomWarp(shear, p=0.2, y=(0.233333, 0.233333)),
                    ]),
                    K.RandomPosterize((5, 5), p=0.3),
                ),
                nn.Sequential(
                    OneOf([
                        RandomValue(saturation, p=0.4, factor=(0.7, 0.7)),
                        RandomValue(saturation, p=0.4, factor=(1.3, 1.3)),
                    ]),
                    OneOf([
                        RandomValue(E.adjust_brightness_accumulative, p=0.6, factor=(0.3, 0.3)),
                        RandomValue(E.adjust_brightness_accumulative, p=0.6, factor=(1.7, 1.7)),
                    ]),
                ),
                nn.Sequential(
                    OneOf([K.RandomSharpness((0.1, 0.1), p=0.3), K.RandomSharpness((1.9, 1.9), p=0.3)]),
                    OneOf([
                        RandomValue(E.adjust_brightness_accumulative, p=0.7, factor=(0.1, 0.1)),
                        RandomValue(E.adjust_brightness_accumulative, p=0.7, factor=(1.9, 1.9)),
                    ]),
                ),
                nn.Sequential(K.RandomEqualize(p=0.6), K.RandomEqualize(p=0.5)),
                nn.Sequential(
                    OneOf([
                        RandomValue(E.adjust_contrast_with_mean_subtraction, p=0.6, factor=(0.3, 0.3)),
                        RandomValue(E.adjust_contrast_with_mean_subtraction, p=0.6, factor=(1.7, 1.7)),
                    ]),
                    OneOf([K.RandomSharpness((0.5, 0.5), p=0.6), K.RandomSharpness((1.5, 1.5), p=0.6)]),
                ),
                nn.Sequential(
                    OneOf([
                        RandomValue(saturation, p=0.7, factor=(0.3, 0.3)),
                        RandomValue(saturation, p=0.7, factor=(1.7, 1.7)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.5, x=(-0.40282, -0.40282)),
                        RandomWarp(translate, p=0.5, x=(0.40282, 0.40282)),
                    ]),
                ),
                nn.Sequential(K.RandomEqualize(p=0.3), K.RandomAutoContrast(p=0.4)),
                nn.Sequential(
                    OneOf([
                        RandomWarp(translate, p=0.4, y=(-0.151057, -0.151057)),
                        RandomWarp(translate, p=0.4, y=(0.151057, 0.151057)),
                    ]),
                    OneOf([K.RandomSharpness((0.4, 0.4), p=0.2), K.RandomSharpness((1.6, 1.6), p=0.2)]),
                ),
                nn.Sequential(
                    OneOf([
                        RandomValue(E.adjust_brightness_accumulative, p=0.9, factor=(0.4, 0.4)),
                        RandomValue(E.adjust_brightness_accumulative, p=0.9, factor=(1.6, 1.6)),
                    ]),
                    OneOf([
                        RandomValue(saturation, p=0.2, factor=(0.2, 0.2)),
                        RandomValue(saturation, p=0.2, factor=(1.8, 1.8)),
                    ]),
                ),
                K.RandomSolarize((0.777778, 0.777778), additions=(0, 0), p=0.5),
                nn.Sequential(K.RandomEqualize(p=0.2), K.RandomAutoContrast(p=0.6)),
                nn.Sequential(K.RandomEqualize(p=0.2), K.RandomEqualize(p=0.6)),
                nn.Sequential(
                    OneOf([
                        RandomValue(saturation, p=0.9, factor=(0.1, 0.1)),
                        RandomValue(saturation, p=0.9, factor=(1.9, 1.9)),
                    ]),
                    K.RandomEqualize(p=0.6),
                ),
                nn.Sequential(
                    K.RandomAutoContrast(p=0.8),
                    K.RandomSolarize((0.111111, 0.111111), additions=(0, 0), p=0.2),
                ),
                OneOf([
                    RandomValue(E.adjust_brightness_accumulative, p=0.1, factor=(0.7, 0.7)),
                    RandomValue(E.adjust_brightness_accumulative, p=0.1, factor=(1.3, 1.3)),
                ]),
                nn.Sequential(
                    K.RandomSolarize((0.444444, 0.444444), additions=(0, 0), p=0.4),
                    K.RandomAutoContrast(p=0.9),
                ),
                nn.Sequential(
                    OneOf([
                        RandomWarp(translate, p=0.9, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.9, y=(0.453172, 0.453172)),
                    ]),
                    OneOf([
                        RandomWarp(translate, p=0.7, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                ),
                nn.Sequential(
                    K.RandomAutoContrast(p=0.9),
                    K.RandomSolarize((0.666667, 0.666667), additions=(0, 0), p=0.8),
                ),
                nn.Sequential(K.RandomEqualize(p=0.8), K.RandomInvert(p=0.1)),
                nn.Sequential(
                    OneOf([
                        RandomWarp(translate, p=0.7, y=(-0.453172, -0.453172)),
                        RandomWarp(translate, p=0.7, y=(0.453172, 0.453172)),
                    ]),
                    K.RandomAutoContrast(p=0.9),
                ),
            ]),
        ])

    def forward(self, images: Tensor) -> Tensor:
        check(images)
        floats = images / 255 if images.dtype == torch.uint8 else images.float().clamp(0, 1)
        with torch.autocast(images.device.type, enabled=False):  # 16-bit coordinates are too coarse
            made = super().forward(floats.view(-1, *images.shape[-3:])).view(images.shape)
        return (made * 255).round().to(torch.uint8) if images.dtype == torch.uint8 else made.to(images.dtype)
