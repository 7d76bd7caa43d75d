# Augmentation policy 'autoaugment-cifar10' (9e092111df13), with only NumPy and Pillow.
# Exported by autoaug 0.1.0; runs without it: image = Augment(seed=0)(image)
# Movements in a row are sampled one by one, as usual in numpy; --exact composes them.

import importlib.util
import math
import sys
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from PIL import Image

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


class InTurn:
    """Apply several steps, one after another."""

    def __init__(self, steps: Sequence[Any]) -> None:
        self.steps = steps

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        for step in self.steps:
            image = step(image, draw)
        return image


class OneOf:
    """Apply one of several steps, drawn with their probabilities, or evenly."""

    def __init__(self, steps: Sequence[Any], p: Sequence[float] | None = None) -> None:
        self.steps, self.bounds = steps, [*accumulate(p or [1 / len(steps)] * len(steps))][:-1]

    def __call__(self, image: Any, draw: np.random.Generator) -> Any:
        return self.steps[bisect(self.bounds, draw.random())](image, draw)


def shift(image: Any, right: int, down: int) -> Any:
    """Move by whole pixels; black comes in."""
    height, width = image.shape[:2]
    moved = np.zeros_like(image)
    moved[max(down, 0) : height + down, max(right, 0) : width + right] = image[
        max(-down, 0) : height - down, max(-right, 0) : width - right
    ]
    return moved


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


def affine(image: Any, shear_x: float = 0.0, shear_y: float = 0.0, x: float = 0.0, y: float = 0.0) -> Any:
    """Shear by slopes about the upper left corner, or move by fractions of the size, in whole pixels."""
    if shear_x or shear_y:
        return warp(image, (1.0, -shear_x, 0.0), (-shear_y, 1.0, 0.0))
    return shift(image, int(round(x * image.shape[1], 3)), int(round(y * image.shape[0], 3)))


def mapped(image: Any, table: Any) -> Any:
    """Map levels by a table ``[256]``, or one for each channel ``[256, C]``."""
    table = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    if cv2:
        return cv2.LUT(image, table.reshape(1, 256, -1)).reshape(image.shape)
    if table.ndim == 1:
        return table[image]
    return np.take_along_axis(table, image.reshape(-1, table.shape[1]), 0).reshape(image.shape)


def by_histogram(image: Any, share: float, curve: Any) -> Any:
    """Blend with the image whose channels are mapped by a curve of their histograms."""
    channels, levels = image.reshape(image.shape[0] * image.shape[1], -1).T, np.arange(256)
    curves = [curve(levels, np.bincount(channel, minlength=256)) for channel in channels]
    return mapped(image, np.stack([levels + share * (own - levels) for own in curves], -1))


def stretched(levels: Any, counts: Any) -> Any:
    low, high = np.flatnonzero(counts)[[0, -1]]
    return (levels - low) * (255 / (high - low)) if high > low else levels


def autocontrast(image: Any, share: float = 1.0) -> Any:
    return by_histogram(image, share, stretched)


def brightness(image: Any, factor: float) -> Any:
    return mapped(image, np.arange(256) * factor)


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


def contrast(image: Any, factor: float) -> Any:
    means = image.reshape(image.shape[0] * image.shape[1], -1).mean(0)
    mean = means @ (0.299, 0.587, 0.114) if len(means) == 3 else means.mean()
    return mapped(image, np.arange(256) * factor + mean * (1 - factor))


def flat(levels: Any, counts: Any) -> Any:
    step = (counts.sum() - counts[np.flatnonzero(counts)[-1]]) // 255
    return np.minimum((counts.cumsum() - counts + step // 2) // step, 255) if step else levels


def equalize(image: Any, share: float = 1.0) -> Any:
    return by_histogram(image, share, flat)


def invert(image: Any) -> Any:
    return 255 - image


def posterize(image: Any, bits: float) -> Any:
    return image & (256 - 2 ** (8 - round(bits)))


def rotate(image: Any, degrees: float) -> Any:
    """Turn counterclockwise about the center."""
    height, width = image.shape[:2]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = width / 2, height / 2
    return warp(image, (cos, sin, x - cos * x - sin * y), (-sin, cos, y + sin * x - cos * y))


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


def solarize(image: Any, threshold: float) -> Any:
    return np.where(image < 255 * threshold - 0.01, image, 255 - image)


class Augment:
    """The policy for a ``PIL.Image`` or an array ``[H, W, C]`` or ``[H, W]``, uint8 or floats in [0, 1], which it
    rounds to 256 levels; images ``[B, H, W, C]`` are augmented one by one. It is quickest with OpenCV.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed, self.worker = np.random.SeedSequence(seed).entropy, None
        self.draw = np.random.default_rng(self.seed)
        self.policy = InTurn([OneOf([
            InTurn([Random(invert, p=0.1), Either(contrast, p=0.2, factor=(0.4, 1.6))]),
            InTurn([
                Either(rotate, p=0.7, degrees=(-6.66666, 6.66666)),
                Either(affine, p=0.3, x=(-0.453172, 0.453172)),
            ]),
            InTurn([Either(sharpness, p=0.8, factor=(0.9, 1.1)), Either(sharpness, p=0.9, factor=(0.7, 1.3))]),
            InTurn([
                Either(affine, p=0.5, shear_y=(-0.266667, 0.266667)),
                Either(affine, p=0.7, y=(-0.453172, 0.453172)),
            ]),
            InTurn([Random(autocontrast, p=0.5), Random(equalize, p=0.9)]),
            InTurn([Either(affine, p=0.2, shear_y=(-0.233333, 0.233333)), Random(posterize, p=0.3, bits=(5, 5))]),
            InTurn([Either(saturation, p=0.4, factor=(0.7, 1.3)), Either(brightness, p=0.6, factor=(0.3, 1.7))]),
            InTurn([Either(sharpness, p=0.3, factor=(0.1, 1.9)), Either(brightness, p=0.7, factor=(0.1, 1.9))]),
            InTurn([Random(equalize, p=0.6), Random(equalize, p=0.5)]),
            InTurn([Either(contrast, p=0.6, factor=(0.3, 1.7)), Either(sharpness, p=0.6, factor=(0.5, 1.5))]),
            InTurn([Either(saturation, p=0.7, factor=(0.3, 1.7)), Either(affine, p=0.5, x=(-0.40282, 0.40282))]),
            InTurn([Random(equalize, p=0.3), Random(autocontrast, p=0.4)]),
            InTurn([Either(affine, p=0.4, y=(-0.151057, 0.151057)), Either(sharpness, p=0.2, factor=(0.4, 1.6))]),
            InTurn([Either(brightness, p=0.9, factor=(0.4, 1.6)), Either(saturation, p=0.2, factor=(0.2, 1.8))]),
            Random(solarize, p=0.5, threshold=(0.777778, 0.777778)),
            InTurn([Random(equalize, p=0.2), Random(autocontrast, p=0.6)]),
            InTurn([Random(equalize, p=0.2), Random(equalize, p=0.6)]),
            InTurn([Either(saturation, p=0.9, factor=(0.1, 1.9)), Random(equalize, p=0.6)]),
            InTurn([Random(autocontrast, p=0.8), Random(solarize, p=0.2, threshold=(0.111111, 0.111111))]),
            Either(brightness, p=0.1, factor=(0.7, 1.3)),
            InTurn([Random(solarize, p=0.4, threshold=(0.444444, 0.444444)), Random(autocontrast, p=0.9)]),
            InTurn([Either(affine, p=0.9, y=(-0.453172, 0.453172)), Either(affine, p=0.7, y=(-0.453172, 0.453172))]),
            InTurn([Random(autocontrast, p=0.9), Random(solarize, p=0.8, threshold=(0.666667, 0.666667))]),
            InTurn([Random(equalize, p=0.8), Random(invert, p=0.1)]),
            InTurn([Either(affine, p=0.7, y=(-0.453172, 0.453172)), Random(autocontrast, p=0.9)]),
        ])])

    def __call__(self, images: Any) -> Any:
        if isinstance(images, Image.Image) and images.mode in ("L", "RGB"):
            return Image.fromarray(self(np.asarray(images)))
        check(images)
        if images.ndim == 4:
            return np.stack([*map(self, images)]) if len(images) else images
        loading = sys.modules.get("torch.utils.data")
        worker = loading and loading.get_worker_info()
        if worker and worker.seed != self.worker:  # a worker process draws for itself, anew in each epoch
            self.draw, self.worker = np.random.default_rng([self.seed, worker.seed]), worker.seed
        if images.dtype == np.uint8:
            return self.policy(images, self.draw)
        levels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
        return (self.policy(levels, self.draw) / 255).astype(images.dtype)
