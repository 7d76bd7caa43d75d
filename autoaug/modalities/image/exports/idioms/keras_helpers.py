"""What Keras lacks: layers, and short functions of images ``[B, H, W, C]`` with values ``[B, 1, 1, 1]``."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops


class OneOf(layers.Layer):
    """One of several layers for each image, drawn evenly or with their probabilities."""

    def __init__(self, steps: list[Any], p: list[float] | None = None) -> None:
        super().__init__(dtype="float32")
        self.steps, self.p, self.seeds = steps, p or [1 / len(steps)] * len(steps), keras.random.SeedGenerator()
        for layer in (self, *steps):
            layer.built = True  # there is nothing to build, which Keras would find out by tracing all of it

    def call(self, images: Any) -> Any:
        drawn = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), dtype="float32", seed=self.seeds)
        made, below = images, 1.0
        for step, p in zip(self.steps, self.p, strict=True):
            made, below = ops.where(drawn < below, step(images), made), below - p
        return made


class RandomApply(OneOf):
    """Layers one after another, with a probability."""

    def __init__(self, steps: list[Any], p: float) -> None:
        super().__init__([layers.Pipeline(steps), layers.Identity()], p=[p, 1 - p])


class Random(layers.Layer):
    """A function of images and of arguments for each, which are drawn evenly between their ends."""

    def __init__(self, function: Any, **ends: tuple[float, float]) -> None:
        super().__init__(dtype="float32")
        self.function, self.ends, self.seeds = function, ends, keras.random.SeedGenerator()

    def call(self, images: Any) -> Any:
        shape = (ops.shape(images)[0], 1, 1, 1)
        drawn = {name: keras.random.uniform(shape, *ends, "float32", self.seeds) for name, ends in self.ends.items()}
        return ops.clip(self.function(images, **drawn), 0, 1)


class Either(Random):
    """The same with arguments that are either of their ends."""

    def call(self, images: Any) -> Any:
        shape = (ops.shape(images)[0], 1, 1, 1)
        chances = {name: keras.random.uniform(shape, 0, 1, "float32", self.seeds) for name in self.ends}
        drawn = {name: ops.where(chances[name] < 0.5, *ends) for name, ends in self.ends.items()}
        return ops.clip(self.function(images, **drawn), 0, 1)


def warp(images: Any, *rows: Any) -> Any:
    """Take each point (x, y, 1), counted from pixel centers, from where a matrix of these rows maps it."""
    matrix = [0 * images[:, :1, :1, :1] + number for number in (*rows, 0.0, 0.0)]
    matrix = ops.reshape(ops.concatenate(matrix, 1), (-1, 8))
    return ops.image.affine_transform(images, matrix, fill_mode="constant", data_format="channels_last")


def horizontal_flip(images: Any) -> Any:
    return ops.flip(images, 2)


def vertical_flip(images: Any) -> Any:
    return ops.flip(images, 1)


def transpose(images: Any) -> Any:
    """Mirror a square along its diagonal, another rectangle left and right."""
    height, width = images.shape[1:3]
    return ops.transpose(images, (0, 2, 1, 3)) if height == width else ops.flip(images, 2)


def rotate(images: Any, degrees: Any) -> Any:
    """Turn counterclockwise about the center."""
    height, width = images.shape[1:3]
    x, y, angle = (width - 1) / 2, (height - 1) / 2, degrees * math.pi / 180
    cos, sin = ops.cos(angle), ops.sin(angle)
    return warp(images, cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y)


def quarter_turn(images: Any, case: Any) -> Any:
    """Turn a square by 90, 180 or 270 degrees, another rectangle by 180 in two of three cases."""
    height, width = images.shape[1:3]
    return rotate(images, 90 * (ops.floor(case) + 1) if height == width else 180 * ops.minimum(ops.floor(case), 1))


def affine(images: Any, shear_x: Any = 0.0, shear_y: Any = 0.0, x: Any = 0.0, y: Any = 0.0) -> Any:
    """Shear by slopes about the upper left corner, and move by fractions of the size, in whole pixels."""
    height, width = images.shape[1:3]
    right, down = (ops.trunc(ops.round(move * 1000) / 1000) for move in (x * width, y * height))
    return warp(images, 1, shear_x, shear_x / 2 - right, shear_y, 1, shear_y / 2 - down)


def zoom(images: Any, octaves: Any) -> Any:
    by, (height, width) = 2**-octaves, images.shape[1:3]
    return warp(images, by, 0, (width - 1) * (1 - by) / 2, 0, by, (height - 1) * (1 - by) / 2)


def pad_crop(images: Any, padding: Any, x: Any, y: Any) -> Any:
    """Pad by a fraction of the size, and crop the original size at a place between 0 and 1."""
    down, across = (ops.round(padding * length) for length in images.shape[1:3])
    left, top = ops.floor(x * (2 * across + 1)) - across, ops.floor(y * (2 * down + 1)) - down
    return warp(images, 1, 0, left, 0, 1, top)


def resized_crop(images: Any, share: Any, area: Any, aspect: Any, x: Any, y: Any) -> Any:
    """Scale a part to the full size, which leaves out up to a share of the area."""
    (height, width), size, ratio = images.shape[1:3], 1 - share * area, ops.exp(share / 0.92 * math.log(4 / 3) * aspect)
    across, down = ops.minimum(ops.sqrt(size * ratio), 1), ops.minimum(ops.sqrt(size / ratio), 1)
    return warp(images, across, 0, (1 - across) * (width - 1) * x, 0, down, (1 - down) * (height - 1) * y)


def gray(images: Any) -> Any:
    is_rgb = images.shape[-1] == 3
    return ops.image.rgb_to_grayscale(images, "channels_last") if is_rgb else ops.mean(images, -1, keepdims=True)


def invert(images: Any) -> Any:
    return 1 - images


def brightness(images: Any, factor: Any) -> Any:
    return images * factor


def contrast(images: Any, factor: Any) -> Any:
    mean = ops.mean(gray(images), axis=(1, 2), keepdims=True)
    return mean + factor * (images - mean)


def saturation(images: Any, factor: Any) -> Any:
    return gray(images) + factor * (images - gray(images))


def sharpness(images: Any, factor: Any) -> Any:
    """A blend with a smoothed image, beyond it above 1; the border stays."""
    if min(images.shape[1:3]) < 3:  # all is border
        return images
    details = 9 / 13 * (images[:, 1:-1, 1:-1] - ops.average_pool(images, 3, 1, data_format="channels_last"))
    return images + ops.pad((factor - 1) * details, ((0, 0), (1, 1), (1, 1), (0, 0)))


def posterize(images: Any, bits: Any) -> Any:
    step = 2 ** (8 - ops.round(bits))
    return ops.floor(ops.floor(images * 255 + 1e-3) / step) * step / 255


def solarize(images: Any, threshold: Any) -> Any:
    return ops.where(images < threshold - 1e-4, images, 1 - images)


def autocontrast(images: Any, share: Any = 1.0) -> Any:
    low, high = ops.min(images, axis=(1, 2), keepdims=True), ops.max(images, axis=(1, 2), keepdims=True)
    return ops.where(high > low, images + share * ((images - low) / ops.maximum(high - low, 1e-6) - images), images)


def equalize(images: Any, share: Any = 1.0) -> Any:
    """Blend with the image whose levels are as frequent as one another, as in Pillow, for each channel."""
    height, width, channels = images.shape[1:]
    levels = ops.reshape(ops.cast(ops.round(images * 255), "int32"), (-1, height * width, channels))
    levels = ops.transpose(levels, (0, 2, 1))
    row = 256 * ops.reshape(ops.arange(ops.size(levels) // (height * width), dtype="int32"), (-1, channels, 1))
    keys = ops.reshape(levels + row, (-1,))
    darker = ops.cast(ops.reshape(ops.searchsorted(ops.sort(keys), keys), ops.shape(levels)), "int32")
    darker = darker - row // 256 * (height * width)
    step = ops.max(darker, axis=-1, keepdims=True) // 255
    new = ops.where(step > 0, ops.minimum((darker + step // 2) // ops.maximum(step, 1), 255), levels)
    new = ops.reshape(ops.transpose(ops.cast(new, "float32"), (0, 2, 1)), (-1, height, width, channels)) / 255
    return images + share * (new - images)


def gamma(images: Any, octaves: Any) -> Any:
    return images ** (2**octaves)


def blur(images: Any, fraction: Any) -> Any:
    """Smooth by a standard deviation that is a fraction of the shorter side."""
    height, width = images.shape[1:3]
    shorter = min(height, width)
    if shorter < 2:
        return images
    radius = min(math.ceil(0.18 * shorter), shorter - 1)
    sigma = ops.maximum(fraction * shorter, 0.05)
    kernel = [ops.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    wide = ops.pad(images, ((0, 0), (radius, radius), (radius, radius), (0, 0)), mode="reflect")
    rows = sum(weight * wide[:, i : i + height] for i, weight in enumerate(kernel))
    return sum(weight * rows[:, :, i : i + width] for i, weight in enumerate(kernel)) / sum(kernel) ** 2


def cutout(images: Any, side: Any, x: Any, y: Any) -> Any:
    """Fill a square with gray, around a place between 0 and 1; its side is a fraction of the shorter side."""
    height, width = images.shape[1:3]
    half = side * min(height, width) / 2
    rows = ops.abs(ops.reshape(ops.arange(height, dtype="float32"), (1, height, 1, 1)) + 0.5 - y * height) < half
    columns = ops.abs(ops.reshape(ops.arange(width, dtype="float32"), (1, 1, width, 1)) + 0.5 - x * width) < half
    return ops.where(ops.logical_and(rows, columns), 0.5, images)


def check(images: Any, kind: str) -> None:
    """Raise ValueError for images whose values would be misread; in a traced graph there are no values to look at."""
    try:
        low, high = (float(ops.convert_to_numpy(end(images))) for end in (ops.min, ops.max))
    except (NotImplementedError, RuntimeError, TypeError, ValueError):  # what the backends raise while they trace
        low, high = 0.0, 1.0
    good = kind == "uint8" or ("float" in kind and -1e-3 <= low <= high <= 1.001)
    if not good or len(images.shape) != 4 or 0 in images.shape[1:]:
        found = f"{kind} {list(images.shape)} from {low:g} to {high:g}"
        raise ValueError(f"images must be [B, H, W, C], uint8 or floats in [0, 1], not {found}")
