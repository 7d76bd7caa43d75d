"""What torchvision lacks: short functions of an image, which is a tensor ``[..., C, H, W]`` or a picture, and classes.

Functions that move pixels also take boxes, masks and keypoints.
"""

from __future__ import annotations

import math
from bisect import bisect
from itertools import accumulate
from typing import Any

import torch
from PIL import Image
from torch.utils._pytree import tree_leaves
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

BILINEAR = v2.InterpolationMode.BILINEAR
NEAREST = v2.InterpolationMode.NEAREST


class RandomValue(v2.Transform):
    """Apply a function with arguments drawn evenly between their ends; if it `moves` pixels, to boxes and masks too."""

    def __init__(self, function: Any, moves: bool = False, **ends: tuple[float, float]) -> None:
        super().__init__()
        self.function, self.moves, self.ends = function, moves, ends

    def make_params(self, flat_inputs: list[Any]) -> dict[str, float]:
        drawn = zip(self.ends.items(), torch.rand(len(self.ends)).tolist(), strict=True)
        return {name: low + (high - low) * share for (name, (low, high)), share in drawn}

    def transform(self, inpt: Any, params: dict[str, float]) -> Any:
        stays = isinstance(inpt, tv_tensors.TVTensor) and not (self.moves or isinstance(inpt, tv_tensors.Image))
        return inpt if stays else self.function(inpt, **params)


class RandomChoice(v2.RandomChoice):
    """The same, drawn in a tenth of the time, which counts for small images."""

    def forward(self, *inputs: Any) -> Any:
        return self.transforms[bisect(list(accumulate(self.p[:-1])), torch.rand(()).item())](*inputs)


class TrivialAugmentWide(v2.TrivialAugmentWide):
    """The library's own, with movements by up to a seventh of any size, as its 32 pixels are of 224."""

    _AUGMENTATION_SPACE = v2.TrivialAugmentWide._AUGMENTATION_SPACE | {
        "TranslateX": (lambda bins, height, width: torch.linspace(0, width / 7, bins), True),
        "TranslateY": (lambda bins, height, width: torch.linspace(0, height / 7, bins), True),
    }


def affine(image: Any, shear_x: float = 0.0, shear_y: float = 0.0, x: float = 0.0, y: float = 0.0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    height, width = F.get_size(image)
    shear = [math.degrees(math.atan(slope)) for slope in (shear_x, shear_y)]
    move = [int(round(x * width, 3)), int(round(y * height, 3))]
    return F.affine(image, 0, move, 1, shear, BILINEAR if any(shear) else NEAREST, center=[0, 0])


def zoom(image: Any, octaves: float) -> Any:
    return F.affine(image, 0, [0, 0], 2**octaves, [0, 0], BILINEAR)


def pad_crop(image: Any, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    height, width = F.get_size(image)
    down, across = round(padding * height), round(padding * width)
    top, left = int(y * (2 * down + 1)) - down, int(x * (2 * across + 1)) - across
    return F.crop(image, top, left, height, width)


def resized_crop(image: Any, share: float, area: float, aspect: float, x: float, y: float) -> Any:
    """Scale a part to the full size, which leaves out up to a share of the area; its center falls between pixels."""
    height, width = F.get_size(image)
    size, ratio = 1 - share * area, math.exp(share / 0.92 * math.log(4 / 3) * aspect)
    across, down = min(math.sqrt(size * ratio), 1), min(math.sqrt(size / ratio), 1)
    left, top = (1 - across) * (0.5 + (width - 1) * x), (1 - down) * (0.5 + (height - 1) * y)
    coefficients = [across, 0.0, left, 0.0, down, top, 0.0, 0.0]
    return F.perspective(image, None, None, BILINEAR, coefficients=coefficients)


def quarter_turn(image: Any, case: float) -> Any:
    """Turn a square by 90, 180 or 270 degrees, another rectangle by 180 in two of three cases."""
    height, width = F.get_size(image)
    return F.rotate(image, 90 * (1 + int(case)) if height == width else 180 * min(int(case), 1))


def transpose(image: Any, on: float) -> Any:
    """Mirror a square along its diagonal, another rectangle left and right."""
    height, width = F.get_size(image)
    return F.vertical_flip(F.rotate(image, 90)) if height == width else F.horizontal_flip(image)


def posterize(image: Any, bits: float) -> Any:
    return F.posterize(image, round(bits))


def solarize(image: Any, threshold: float) -> Any:
    floats = isinstance(image, torch.Tensor) and image.is_floating_point()
    return F.solarize(image, max(threshold - 1e-4, 0) * (1 if floats else 255))


def blend(image: Any, other: Any, share: float) -> Any:
    """The image with a share of the other one."""
    if isinstance(image, Image.Image):
        return Image.blend(image, other, share)
    mixed = torch.lerp(image.float(), other.float(), share)
    mixed = mixed if image.is_floating_point() else mixed.round()
    return mixed.to(image.dtype).as_subclass(type(image))


def autocontrast(image: Any, share: float) -> Any:
    return blend(image, F.autocontrast(image), share)


def equalize(image: Any, share: float) -> Any:
    return blend(image, F.equalize(image), share)


def gamma(image: Any, octaves: float) -> Any:
    return F.adjust_gamma(image, 2**octaves)


def blur(image: Any, fraction: float) -> Any:
    """Smooth by a standard deviation that is a fraction of the shorter side."""
    shorter = min(F.get_size(image))
    sigma = max(fraction * shorter, 0.05)
    radius = min(math.ceil(4 * sigma), math.ceil(0.18 * shorter), shorter - 1)
    return F.gaussian_blur(image, [2 * radius + 1] * 2, [sigma] * 2) if radius else image


def noise(image: Any, sigma: float) -> Any:
    if isinstance(image, Image.Image):
        return F.to_pil_image(noise(F.pil_to_tensor(image), sigma))
    noisy = F.to_dtype(image, torch.float32, scale=True) + sigma * torch.randn(image.shape[-3:], device=image.device)
    return F.to_dtype(noisy.clamp(0, 1), image.dtype, scale=True).as_subclass(type(image))


def cutout(image: Any, side: float, x: float, y: float) -> Any:
    """Fill a square with gray, around a place between 0 and 1; its side is a fraction of the shorter side."""
    if isinstance(image, Image.Image):
        return F.to_pil_image(cutout(F.pil_to_tensor(image), side, x, y))
    height, width = F.get_size(image)
    half = side * min(height, width) / 2
    top, bottom = (min(max(math.ceil(y * height - 0.5 + by), 0), height) for by in (-half, half))
    left, right = (min(max(math.ceil(x * width - 0.5 + by), 0), width) for by in (-half, half))
    gray = torch.tensor(0.5 if image.is_floating_point() else 128, dtype=image.dtype, device=image.device)
    return F.erase(image, top, left, bottom - top, right - left, gray.expand(image.shape[-3], 1, 1))


def image_of(sample: Any) -> Any:
    """The image of a sample; raises ValueError where its values would be misread, and for batches."""
    alone = len(sample) == 1 and isinstance(sample[0], (Image.Image, torch.Tensor))
    leaves = sample if alone else tree_leaves(sample)
    images = [one for one in leaves if isinstance(one, (Image.Image, tv_tensors.Image))]
    image = next(iter(images or filter(F.is_pure_tensor, leaves)), next(iter(leaves), None))
    seen = getattr(image, "mode", type(image).__name__)
    good = seen in ("L", "RGB")
    if isinstance(image, torch.Tensor):
        low, high = (0, 1) if image.dtype == torch.uint8 else image.aminmax()
        good = image.ndim == 3 and bool(-1e-3 <= low <= high <= 1.001)
        seen = "" if good else f"{image.dtype} {list(image.shape)} from {low} to {high}"
    if not good:
        raise ValueError(f"an image must be an L or RGB picture, or [C, H, W] in uint8 or floats in [0, 1], not {seen}")
    return image
