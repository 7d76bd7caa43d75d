"""What a policy needs in NumPy: steps, and short functions of an image, uint8 ``[H, W, C]`` or ``[H, W]``."""

from __future__ import annotations

import importlib
import importlib.util
import math
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from PIL import Image

#: OpenCV, or None, and then NumPy and Pillow do all.
cv2: Any = importlib.import_module("cv2") if importlib.util.find_spec("cv2") else None


class Random:
    """Apply a function of an image, with a probability and arguments drawn evenly between their ends."""

    def __init__(self, function: Any, p: float = 1.0, **ends: tuple[float, float]) -> None:
        self.function, self.p, self.ends = function, p, ends

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        if self.p < 1 and draw.random() >= self.p:
            return image
        drawn = {name: low + (high - low) * self.share(draw) for name, (low, high) in self.ends.items()}
        return self.function(image, **drawn)

    def share(self, draw: np.random.Generator) -> float:
        return draw.random()


class Either(Random):
    """The same with arguments that are either of their ends."""

    def share(self, draw: np.random.Generator) -> float:
        return float(draw.random() < 0.5)


class OneOf:
    """Apply one of several steps, drawn with their probabilities, or evenly."""

    def __init__(self, steps: Sequence[Any], p: Sequence[float] | None = None) -> None:
        self.steps, self.bounds = steps, [*accumulate(p or [1 / len(steps)] * len(steps))][:-1]

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        return self.steps[bisect(self.bounds, draw.random())](image, draw)


class InTurn:
    """Apply several steps, one after another."""

    def __init__(self, steps: Sequence[Any]) -> None:
        self.steps = steps

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        for step in self.steps:
            image = step(image, draw)
        return image


def warp(image: Any, across: tuple[float, ...], down: tuple[float, ...]) -> Any:
    """Move each point (x, y, 1) to where the two rows of a matrix say; bilinear, black outside."""
    matrix, size = np.array([across, down, (0.0, 0.0, 1.0)]), image.shape[1::-1]
    if cv2:
        matrix[:2, 2] += matrix[:2, :2].sum(1) / 2 - 0.5  # it counts from the centers of pixels
        return cv2.warpAffine(image, matrix[:2], size).reshape(image.shape)
    planes, inverse = np.atleast_3d(image).transpose(2, 0, 1), np.linalg.inv(matrix)[:2].ravel()
    how = Image.Transform.AFFINE, tuple(inverse), Image.Resampling.BILINEAR
    moved = [np.asarray(Image.fromarray(np.ascontiguousarray(plane)).transform(size, *how)) for plane in planes]
    return np.stack(moved, -1).reshape(image.shape)


def horizontal_flip(image: Any) -> Any:
    return np.ascontiguousarray(image[:, ::-1])


def vertical_flip(image: Any) -> Any:
    return np.ascontiguousarray(image[::-1])


def rotate(image: Any, degrees: float) -> Any:
    """Turn counterclockwise about the center."""
    height, width = image.shape[:2]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = width / 2, height / 2
    return warp(image, (cos, sin, x - cos * x - sin * y), (-sin, cos, y + sin * x - cos * y))


def shift(image: Any, right: int, down: int) -> Any:
    """Move by whole pixels; black comes in."""
    height, width = image.shape[:2]
    moved = np.zeros_like(image)
    moved[max(down, 0) : height + down, max(right, 0) : width + right] = image[
        max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return moved


def affine(image: Any, shear_x: float = 0.0, shear_y: float = 0.0, x: float = 0.0, y: float = 0.0) -> Any:
    """Shear by slopes about the upper left corner, or move by fractions of the size, in whole pixels."""
    if shear_x or shear_y:
        return warp(image, (1.0, -shear_x, 0.0), (-shear_y, 1.0, 0.0))
    return shift(image, int(round(x * image.shape[1], 3)), int(round(y * image.shape[0], 3)))


def pad_crop(image: Any, padding: float, x: float, y: float) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (round(padding * length) for length in image.shape[:2])
    return shift(image, across - int(x * (2 * across + 1)), down - int(y * (2 * down + 1)))


def zoom(image: Any, octaves: float) -> Any:
    by, (height, width) = 2**octaves, image.shape[:2]
    return warp(image, (by, 0.0, width * (1 - by) / 2), (0.0, by, height * (1 - by) / 2))


def resized_crop(image: Any, share: float, area: float, aspect: float, x: float, y: float) -> Any:
    """Scale a part to the full size, which leaves out up to a share of the area; its center falls between pixels."""
    height, width = image.shape[:2]
    size, ratio = 1 - share * area, math.exp(share / 0.92 * math.log(4 / 3) * aspect)
    across, down = min(math.sqrt(size * ratio), 1), min(math.sqrt(size / ratio), 1)
    left, top = (1 - across) * (0.5 + (width - 1) * x), (1 - down) * (0.5 + (height - 1) * y)
    return warp(image, (1 / across, 0.0, -left / across), (0.0, 1 / down, -top / down))


def quarter_turn(image: Any, case: float) -> Any:
    """Turn a square by 90, 180 or 270 degrees, another rectangle by 180 in two of three cases."""
    square = image.shape[0] == image.shape[1]
    return np.ascontiguousarray(np.rot90(image, int(case) + 1 if square else 2 * min(int(case), 1)))


def transpose(image: Any) -> Any:
    """Mirror a square along its diagonal, another rectangle left and right."""
    square = image.shape[0] == image.shape[1]
    return np.ascontiguousarray(image.swapaxes(0, 1) if square else image[:, ::-1])


def mapped(image: Any, table: Any) -> Any:
    """Map levels by a table ``[256]``, or one for each channel ``[256, C]``."""
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    if cv2:
        return cv2.LUT(image, table.reshape(1, 256, -1)).reshape(image.shape)
    if table.ndim == 1:
        return table[image]
    return np.take_along_axis(table, image.reshape(-1, table.shape[1]), 0).reshape(image.shape)


def invert(image: Any) -> Any:
    return 255 - image


def brightness(image: Any, factor: float) -> Any:
    return mapped(image, np.arange(256) * factor)


def contrast(image: Any, factor: float) -> Any:
    means = image.reshape(image.shape[0] * image.shape[1], -1).mean(0)
    mean = means @ (0.299, 0.587, 0.114) if len(means) == 3 else means.mean()
    return mapped(image, np.arange(256) * factor + mean * (1 - factor))


def saturation(image: Any, factor: float) -> Any:
    """Multiply the distance from gray, which is the mean unless there are three channels."""
    if (channels := image[0, 0].size) == 1:
        return image
    gray = (0.299, 0.587, 0.114) if channels == 3 else (1 / channels,) * channels
    matrix = np.eye(channels) * factor + np.array([gray] * channels) * (1 - factor)
    return cv2.transform(image, matrix) if cv2 else np.clip(np.rint(image @ matrix.T), 0, 255).astype(np.uint8)


def sharpness(image: Any, factor: float) -> Any:
    """A blend with a smoothed image, beyond it above 1; the border stays."""
    sharp, values = image.copy(), image.astype(np.float32)
    rows = values[:-2] + values[1:-1] + values[2:]
    smooth = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] + 4 * values[1:-1, 1:-1]) / 13
    inner = smooth + np.float32(factor) * (values[1:-1, 1:-1] - smooth)
    sharp[1:-1, 1:-1] = np.clip(np.rint(inner), 0, 255)
    return sharp


def posterize(image: Any, bits: float) -> Any:
    return image & (256 - 2 ** (8 - round(bits)))


def solarize(image: Any, threshold: float) -> Any:
    return np.where(image < 255 * threshold - 0.01, image, 255 - image)


def by_histogram(image: Any, share: float, curve: Any) -> Any:
    """Blend with the image whose channels are mapped by a curve of their histograms."""
    channels, levels = image.reshape(image.shape[0] * image.shape[1], -1).T, np.arange(256)
    curves = [curve(levels, np.bincount(channel, minlength=256)) for channel in channels]
    return mapped(image, np.stack([levels + share * (own - levels) for own in curves], -1))


def stretched(levels: Any, counts: Any) -> Any:
    low, high = np.flatnonzero(counts)[[0, -1]]
    return (levels - low) * (255 / (high - low)) if high > low else levels


def flat(levels: Any, counts: Any) -> Any:
    step = (counts.sum() - counts[np.flatnonzero(counts)[-1]]) // 255
    return np.minimum((counts.cumsum() - counts + step // 2) // step, 255) if step else levels


def autocontrast(image: Any, share: float = 1.0) -> Any:
    return by_histogram(image, share, stretched)


def equalize(image: Any, share: float = 1.0) -> Any:
    return by_histogram(image, share, flat)


def gamma(image: Any, octaves: float) -> Any:
    return mapped(image, 255 * (np.arange(256) / 255) ** (2**octaves))


def smooth(values: Any, kernel: Any) -> Any:
    """Values smoothed along the first axis; they are mirrored at its ends."""
    radius, length = len(kernel) // 2, len(values)
    wide = np.pad(values, [(radius, radius)] + [(0, 0)] * (values.ndim - 1), mode="reflect")
    return sum(weight * wide[i : i + length] for i, weight in enumerate(kernel))


def blur(image: Any, fraction: float) -> Any:
    """Smooth by a standard deviation that is a fraction of the shorter side."""
    shorter = min(image.shape[:2])
    sigma = max(fraction * shorter, 0.05)
    radius = min(math.ceil(4 * sigma), math.ceil(0.18 * shorter), shorter - 1)
    if cv2:
        return cv2.GaussianBlur(image, (2 * radius + 1,) * 2, sigma).reshape(image.shape)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    across = smooth(image, kernel / kernel.sum()).swapaxes(0, 1)
    return np.rint(smooth(across, kernel / kernel.sum()).swapaxes(0, 1)).astype(np.uint8)


def noise(image: Any, sigma: float, seed: float) -> Any:
    normal = np.random.default_rng(int(seed)).standard_normal(image.shape, np.float32)
    return np.clip(np.rint(image + 255 * sigma * normal), 0, 255).astype(np.uint8)


def cutout(image: Any, side: float, x: float, y: float) -> Any:
    """Fill a square with gray, around a place between 0 and 1; its side is a fraction of the shorter side."""
    height, width = image.shape[:2]
    half, filled = side * min(height, width) / 2, image.copy()
    rows, columns = (
        slice(max(math.ceil(at - 0.5 - half), 0), max(math.ceil(at - 0.5 + half), 0)) for at in (y * height, x * width)
    )
    filled[rows, columns] = 128
    return filled


def check(images: Any) -> None:
    """Raise ValueError for images whose values would be misread."""
    found, good = getattr(images, "mode", type(images).__name__), False
    if isinstance(images, np.ndarray):
        found, good = f"{images.dtype} {list(images.shape)}", images.dtype == np.uint8 or images.dtype.kind == "f"
        if images.dtype.kind == "f" and images.size:
            found += f" from {images.min():g} to {images.max():g}"
            good = bool(-1e-3 <= images.min() <= images.max() <= 1.001)
        good = good and images.ndim in (2, 3, 4) and 0 not in images.shape[-3:]
    if not good:
        raise ValueError(
            "images must be L or RGB pictures, or arrays [H, W, C], [H, W] or [B, H, W, C] in uint8 or floats in "
            f"[0, 1], not {found}: convert them"
        )
