"""What albumentations lacks: short functions, and classes that draw their arguments."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import albumentations as A
import cv2
import numpy as np


class RandomValue(A.ImageOnlyTransform):
    """Change each channel, in uint8, by a function with arguments drawn between their ends."""

    def __init__(self, function: Any, p: float = 1.0, draw: Any = Random.uniform, **ends: Any) -> None:
        super().__init__(p=p)
        self.function, self.draw, self.ends = function, draw, ends

    def get_params(self) -> dict[str, Any]:
        return {"drawn": {name: self.draw(self.py_random, *ends) for name, ends in self.ends.items()}}

    def apply(self, img: Any, drawn: dict[str, float], **params: Any) -> Any:
        levels = img if img.dtype == np.uint8 else np.rint(np.clip(img, 0, 1) * 255).astype(np.uint8)
        made = cv2.merge([self.function(channel, **drawn) for channel in cv2.split(levels)]).reshape(img.shape)
        return made if img.dtype == np.uint8 else made / np.float32(255)


class RandomWarp(A.Affine):
    """Warp by a function with arguments that are drawn; it gives a matrix from points (x, y, 1) to their new places."""

    def __init__(self, function: Any, p: float = 1.0, draw: Any = Random.uniform, **ends: Any) -> None:
        super().__init__(p=p)
        self.function, self.draw, self.ends = function, draw, ends

    def get_params_dependent_on_data(self, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        drawn = {name: self.draw(self.py_random, *ends) for name, ends in self.ends.items()}
        edges = np.array([*self.function(*params["shape"][:2], **drawn), (0.0, 0.0, 1.0)])
        pixels = edges.copy()  # positions are those of pixels' centers there
        pixels[:2, 2] += edges[:2, :2].sum(1) / 2 - 0.5
        rest = {"scale": {"x": 1.0, "y": 1.0}, "output_shape": params["shape"][:2]}
        return {"matrix": pixels, "bbox_matrix": edges, **rest}

    def apply(self, img: Any, matrix: Any, output_shape: tuple[int, int], **params: Any) -> Any:
        return cv2.warpAffine(img, matrix[:2], output_shape[::-1]).reshape(img.shape)  # at half the time


def either(random: Random, low: float, high: float) -> float:
    return random.choice((low, high))


def affine(height: int, width: int, shear_x: float = 0, shear_y: float = 0, x: float = 0, y: float = 0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    return (1.0, -shear_x, int(round(x * width, 3))), (-shear_y, 1.0, int(round(y * height, 3)))


def zoom(height: int, width: int, octaves: float) -> Any:
    by = 2**octaves
    return (by, 0.0, width * (1 - by) / 2), (0.0, by, height * (1 - by) / 2)


def pad_crop(height: int, width: int, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = round(padding * height), round(padding * width)
    return (1.0, 0.0, across - int(x * (2 * across + 1))), (0.0, 1.0, down - int(y * (2 * down + 1)))


def resized_crop(height: int, width: int, share: float, area: float, aspect: float, x: float, y: float) -> Any:
    """Scale a part to the full size, which leaves out up to a share of the area; its center falls between pixels."""
    size, ratio = 1 - share * area, math.exp(share / 0.92 * math.log(4 / 3) * aspect)
    across, down = min(math.sqrt(size * ratio), 1), min(math.sqrt(size / ratio), 1)
    left, top = (1 - across) * (0.5 + (width - 1) * x), (1 - down) * (0.5 + (height - 1) * y)
    return (1 / across, 0.0, -left / across), (0.0, 1 / down, -top / down)


def quarter_turn(height: int, width: int, case: float) -> Any:
    """Turn a square by 90, 180 or 270 degrees, another rectangle by 180 in two of three cases."""
    turns = int(case) + 1 if height == width else 2 * min(int(case), 1)
    matrices = (
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        ((0.0, 1.0, 0.0), (-1.0, 0.0, width)),
        ((-1.0, 0.0, width), (0.0, -1.0, height)),
        ((0.0, -1.0, height), (1.0, 0.0, 0.0)),
    )
    return matrices[turns]


def transpose(height: int, width: int) -> Any:
    """Mirror a square along its diagonal, another rectangle left and right."""
    square = height == width
    return ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0)) if square else ((-1.0, 0.0, width), (0.0, 1.0, 0.0))


def sharpness(channel: Any, factor: float) -> Any:
    """A blend with a smoothed channel, beyond it above 1; the border stays."""
    kernel = np.full((3, 3), (1 - factor) / 13)
    kernel[1, 1] = (5 + 8 * factor) / 13
    sharp = channel.copy()
    sharp[1:-1, 1:-1] = cv2.filter2D(channel, -1, kernel)[1:-1, 1:-1]
    return sharp


def posterize(channel: Any, bits: float) -> Any:
    return channel & (256 - 2 ** (8 - round(bits)))


def autocontrast(channel: Any) -> Any:
    """Stretch to the full range, as Pillow does; A.AutoContrast overlooks levels of 255."""
    return cv2.normalize(channel, None, 0, 255, cv2.NORM_MINMAX) if channel.min() < channel.max() else channel


def equalize(channel: Any) -> Any:
    """Make levels as frequent as one another, as Pillow does; A.Equalize counts a level's own pixels."""
    counts = cv2.calcHist([channel], [0], None, [256], [0, 256]).ravel()
    step = (channel.size - counts[channel.max()]) // 255
    table = (counts.cumsum() - counts + step // 2) // max(step, 1)
    return cv2.LUT(channel, np.minimum(table, 255).astype(np.uint8)) if step else channel


def blend(function: Any, channel: Any, share: float) -> Any:
    """A share of what a function makes of a channel, and of the channel the rest."""
    return cv2.addWeighted(function(channel), share, channel, 1 - share, 0)


def gamma(channel: Any, octaves: float) -> Any:
    return cv2.LUT(channel, np.rint(255 * (np.arange(256) / 255) ** (2**octaves)).astype(np.uint8))


def blur(channel: Any, fraction: float) -> Any:
    """Smooth by a standard deviation that is a fraction of the shorter side."""
    shorter = min(channel.shape[:2])
    sigma = max(fraction * shorter, 0.05)
    radius = min(math.ceil(4 * sigma), math.ceil(0.18 * shorter), shorter - 1)
    return cv2.GaussianBlur(channel, (2 * radius + 1,) * 2, sigma, borderType=cv2.BORDER_REFLECT_101)


def cutout(channel: Any, side: float, x: float, y: float) -> Any:
    """Fill a square with gray, around a place between 0 and 1; its side is a fraction of the shorter side."""
    height, width = channel.shape[:2]
    half, filled = side * min(height, width) / 2, channel.copy()
    rows, columns = (
        slice(max(math.ceil(at - 0.5 - half), 0), max(math.ceil(at - 0.5 + half), 0)) for at in (y * height, x * width)
    )
    filled[rows, columns] = 128
    return filled
