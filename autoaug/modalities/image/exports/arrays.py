"""Operators on arrays: pure functions that only use names shared by NumPy and ``keras.ops``, so that one source serves
both.

Images are float32 ``[n, H, W, C]`` in [0, 1], values ``[n]`` are in the operator's unit, uniforms ``[n, 4]`` in [0, 1).
Warps return maps ``[n, 3, 3]`` from output to input positions, in pixels from the center; see
`autoaug.modalities.image.fusion`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoaug.modalities.image.exports.array_types import cast, from_numpy

Array = Any
Size = tuple[int, int]


def per_image(value: Array) -> Array:
    return np.reshape(value, (-1, 1, 1, 1))


def moved(*terms: tuple[Array, tuple[float, float, float], tuple[float, float, float]]) -> Array:
    """The identity, plus values ``[n]`` times constant matrices, given by their first two rows."""
    parts = [
        np.reshape(value, (-1, 1, 1)) * from_numpy([[first, second, (0.0, 0.0, 0.0)]]) for value, first, second in terms
    ]
    return from_numpy([[(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]]) + sum(parts)


def whole(x: Array) -> Array:
    """Round toward 0; a number just below a whole number, by a rounding error, becomes that number."""
    x = x + 1e-3 * np.sign(x)
    return np.sign(x) * np.floor(np.abs(x))


def horizontal_flip(on: Array, uniforms: Array, size: Size) -> Array:
    return moved((np.floor(on + 0.5), (-2, 0, 0), (0, 0, 0)))


def vertical_flip(on: Array, uniforms: Array, size: Size) -> Array:
    return moved((np.floor(on + 0.5), (0, 0, 0), (0, -2, 0)))


def transposition(on: Array, uniforms: Array, size: Size) -> Array:
    on = np.floor(on + 0.5)
    return moved((on, (-1, 1, 0), (1, -1, 0))) if size[0] == size[1] else moved((on, (-2, 0, 0), (0, 0, 0)))


def turned(cos: Array, sin: Array) -> Array:
    """Maps of a counterclockwise turn about the center."""
    return moved((cos - 1, (1, 0, 0), (0, 1, 0)), (sin, (0, -1, 0), (1, 0, 0)))


def quarter_turn(on: Array, uniforms: Array, size: Size) -> Array:
    case = np.floor(3 * uniforms[:, 0])
    quarters = case + 1 if size[0] == size[1] else 2 * np.minimum(case, 1)
    angle = math.pi / 2 * quarters * np.floor(on + 0.5)
    return turned(np.round(np.cos(angle)), np.round(np.sin(angle)))


def rotate(degrees: Array, uniforms: Array, size: Size) -> Array:
    angle = degrees * math.pi / 180
    return turned(np.cos(angle), np.sin(angle))


def shear_x(slope: Array, uniforms: Array, size: Size) -> Array:
    return moved((slope, (0, 1, size[0] / 2), (0, 0, 0)))


def shear_y(slope: Array, uniforms: Array, size: Size) -> Array:
    return moved((slope, (0, 0, 0), (1, 0, size[1] / 2)))


def translate_x(fraction: Array, uniforms: Array, size: Size) -> Array:
    return moved((whole(fraction * size[1]), (0, 0, -1), (0, 0, 0)))


def translate_y(fraction: Array, uniforms: Array, size: Size) -> Array:
    return moved((whole(fraction * size[0]), (0, 0, 0), (0, 0, -1)))


def scale(octaves: Array, uniforms: Array, size: Size) -> Array:
    return moved((np.exp(-octaves * math.log(2)) - 1, (1, 0, 0), (0, 1, 0)))


def anisotropic_scale(octaves: Array, uniforms: Array, size: Size) -> Array:
    half = octaves * math.log(2) / 2
    return moved((np.exp(-half) - 1, (1, 0, 0), (0, 0, 0)), (np.exp(half) - 1, (0, 0, 0), (0, 1, 0)))


def pad_crop(fraction: Array, uniforms: Array, size: Size) -> Array:
    across, down = np.round(fraction * size[1]), np.round(fraction * size[0])
    x = np.floor(uniforms[:, 0] * (2 * across + 1)) - across
    y = np.floor(uniforms[:, 1] * (2 * down + 1)) - down
    return moved((x, (0, 0, 1), (0, 0, 0)), (y, (0, 0, 0), (0, 0, 1)))


def random_resized_crop(share: Array, uniforms: Array, size: Size) -> Array:
    area = 1 - share * uniforms[:, 0]
    aspect = np.exp(share / 0.92 * math.log(4 / 3) * (2 * uniforms[:, 1] - 1))
    width, height = np.minimum(np.sqrt(area * aspect), 1), np.minimum(np.sqrt(area / aspect), 1)
    x, y = (1 - width) * (size[1] - 1) * (uniforms[:, 2] - 0.5), (1 - height) * (size[0] - 1) * (uniforms[:, 3] - 0.5)
    still = (0, 0, 0)
    return moved(
        (width - 1, (1, 0, 0), still), (x, (0, 0, 1), still), (height - 1, still, (0, 1, 0)), (y, still, (0, 0, 1))
    )


def perspective(depth: Array, uniforms: Array, size: Size) -> Array:
    angle = 2 * math.pi * uniforms[:, 0]
    cos, sin = depth * np.cos(angle) * math.sqrt(2) / size[1], depth * np.sin(angle) * math.sqrt(2) / size[0]
    zero, one = np.zeros_like(cos), np.ones_like(cos)
    return np.reshape(np.stack([one, zero, zero, zero, one, zero, cos, sin, one], -1), (-1, 3, 3))


def warp(images: Array, maps: Array) -> Array:
    """Each image sampled where its map points to: bilinear, 0 outside."""
    n, height, width, channels = images.shape
    x = from_numpy([[i + 0.5 - width / 2 for i in range(width)]])
    y = from_numpy([[i + 0.5 - height / 2 for i in range(height)]])
    m = np.reshape(maps, (-1, 3, 3, 1, 1))
    x, y = np.reshape(x, (1, 1, width)), np.reshape(y, (1, height, 1))
    depth = np.maximum(m[:, 2, 0] * x + m[:, 2, 1] * y + m[:, 2, 2], 1e-6)
    u = (m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2]) / depth + width / 2 - 0.5
    v = (m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2]) / depth + height / 2 - 0.5
    left, top = np.floor(u), np.floor(v)
    flat = np.reshape(images, (-1, height * width, channels))
    total: Array = 0.0
    for column, row, weight in (
        (left, top, (left + 1 - u) * (top + 1 - v)),
        (left + 1, top, (u - left) * (top + 1 - v)),
        (left, top + 1, (left + 1 - u) * (v - top)),
        (left + 1, top + 1, (u - left) * (v - top)),
    ):
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        place = np.clip(row, 0, height - 1) * width + np.clip(column, 0, width - 1)
        place = np.reshape(cast(place, "int32"), (-1, height * width, 1))
        taken = np.take_along_axis(flat, np.broadcast_to(place, (n, height * width, channels)), axis=1)
        shown = np.where(inside, weight, 0.0)
        total = total + np.reshape(taken, images.shape) * np.reshape(shown, (-1, height, width, 1))
    return total


def gray(images: Array) -> Array:
    channels = images.shape[-1]
    weights = [0.299, 0.587, 0.114] if channels == 3 else [1 / channels] * channels
    return np.sum(images * from_numpy(weights), axis=-1, keepdims=True)


def blend(images: Array, other: Array, weight: Array) -> Array:
    return np.clip(images + per_image(weight) * (other - images), 0, 1)


def brightness(images: Array, change: Array, uniforms: Array) -> Array:
    return np.clip(images * per_image(1 + change), 0, 1)


def contrast(images: Array, change: Array, uniforms: Array) -> Array:
    mean = np.mean(gray(images), axis=(1, 2), keepdims=True)
    return blend(images, mean, -change)


def saturation(images: Array, change: Array, uniforms: Array) -> Array:
    return blend(images, gray(images), -change)


def grayscale(images: Array, share: Array, uniforms: Array) -> Array:
    return blend(images, gray(images), share)


def invert(images: Array, on: Array, uniforms: Array) -> Array:
    return np.where(per_image(on) >= 0.5, 1 - images, images)


def autocontrast(images: Array, share: Array, uniforms: Array) -> Array:
    low, high = np.min(images, axis=(1, 2), keepdims=True), np.max(images, axis=(1, 2), keepdims=True)
    flat = high - low < 1e-6
    return np.where(flat, images, blend(images, (images - low) / np.where(flat, 1.0, high - low), share))


def channel_drop(images: Array, share: Array, uniforms: Array) -> Array:
    channels = images.shape[-1]
    if channels == 1:
        return images
    chosen = np.reshape(np.floor(uniforms[:, 0] * channels), (-1, 1, 1, 1))
    own = np.reshape(from_numpy([float(i) for i in range(channels)]), (1, 1, 1, channels))
    return np.where(own == chosen, images * (1 - per_image(share)), images)


def color_temperature(images: Array, octaves: Array, uniforms: Array) -> Array:
    if images.shape[-1] != 3:
        return images
    return np.clip(images * np.exp(per_image(octaves) * math.log(2) * from_numpy([0.5, 0.0, -0.5])), 0, 1)


def solarize(images: Array, depth: Array, uniforms: Array) -> Array:
    threshold = 1 - per_image(depth)
    return np.where((threshold < 1) & (images >= threshold - 1e-4), 1 - images, images)


def solarize_add(images: Array, added: Array, uniforms: Array) -> Array:
    return np.where(images < 0.5, np.clip(images + per_image(added), 0, 1), images)


def posterize(images: Array, bits: Array, uniforms: Array) -> Array:
    step = np.exp(np.floor(per_image(bits) + 0.5) * math.log(2))
    step = np.round(step)
    return np.where(step > 1, np.floor(np.floor(images * 255 + 1e-3) / step) * step / 255, images)


def equalize(images: Array, share: Array, uniforms: Array) -> Array:
    """PIL's algorithm: the new value of a level follows from the number of darker pixels."""
    n, height, width, channels = images.shape
    pixels, rows = height * width, n * channels
    levels = np.transpose(np.reshape(np.clip(np.floor(images * 255 + 0.5), 0, 255), (n, pixels, channels)), (0, 2, 1))
    row = np.reshape(np.arange(rows), (rows, 1))
    keys = np.reshape(cast(np.reshape(levels, (rows, pixels)), "int32") + 256 * cast(row, "int32"), (-1,))
    darker = np.reshape(cast(np.searchsorted(np.sort(keys), keys, side="left"), "int32"), (rows, pixels))
    darker = darker - pixels * cast(row, "int32")
    step = np.max(darker, axis=1, keepdims=True) // 255
    new = np.clip((darker + step // 2) // np.maximum(step, 1), 0, 255)
    new = np.transpose(np.reshape(cast(new, "float32") / 255, (n, channels, pixels)), (0, 2, 1))
    known = np.reshape(step > 0, (n, 1, 1, channels))
    return np.where(known, blend(images, np.reshape(new, images.shape), share), images)


def gamma(images: Array, octaves: Array, uniforms: Array) -> Array:
    dark = images < 1e-6
    return np.where(dark, images, np.where(dark, 1.0, images) ** np.exp(per_image(octaves) * math.log(2)))


def padded(images: Array, by: int, mode: Any) -> Array:
    return np.pad(images, ((0, 0), (by, by), (by, by), (0, 0)), mode=mode)


def neighbors(images: Array) -> list[Array]:
    """The image shifted by -1, 0 and 1 pixels in each direction: nine images; the border is repeated."""
    height, width = images.shape[1:3]
    wide = padded(images, 1, "symmetric")
    return [wide[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]


def sharpness(images: Array, change: Array, uniforms: Array) -> Array:
    height, width = images.shape[1:3]
    if min(height, width) < 3:
        return images
    smooth = (sum(neighbors(images)) + 4 * images) / 13
    inside = np.pad(np.ones_like(images[:1, 1:-1, 1:-1]), ((0, 0), (1, 1), (1, 1), (0, 0)))
    return blend(images, np.where(inside > 0, smooth, images), -change)


def gaussian_blur(images: Array, fraction: Array, uniforms: Array) -> Array:
    height, width = images.shape[1:3]
    shorter = min(height, width)
    radius = min(math.ceil(3 * 0.06 * shorter), shorter - 1)
    if radius < 1:
        return images
    sigma = np.maximum(fraction * shorter, 0.05)
    kernel = [np.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    total = sum(kernel)
    wide = padded(images, radius, "reflect")
    rows = sum(per_image(k / total) * wide[:, i : i + height] for i, k in enumerate(kernel))
    blurred = sum(per_image(k / total) * rows[:, :, i : i + width] for i, k in enumerate(kernel))
    return np.clip(np.where(per_image(fraction) > 0, blurred, images), 0, 1)


def median_blur(images: Array, share: Array, uniforms: Array) -> Array:
    return blend(images, np.sort(np.stack(neighbors(images), 0), axis=0)[4], share)


def emboss(images: Array, strength: Array, uniforms: Array) -> Array:
    around = neighbors(images)
    return np.clip(images + per_image(strength) * (around[8] - around[0]), 0, 1)


def vignette(images: Array, darkening: Array, uniforms: Array) -> Array:
    height, width = images.shape[1:3]
    y = np.reshape(from_numpy([(2 * i + 1 - height) / max(height - 1, 1) for i in range(height)]), (1, height, 1, 1))
    x = np.reshape(from_numpy([(2 * i + 1 - width) / max(width - 1, 1) for i in range(width)]), (1, 1, width, 1))
    return images * (1 - per_image(darkening) * (y * y + x * x) / 2)


def box(fraction: Array, uniforms: Array, images: Array, aspect: Array | float = 1.0) -> Array:
    """A boolean mask of a rectangle at a random position, whose sides are a fraction of the shorter side, times and
    divided by the root of the aspect.
    """
    height, width = images.shape[1:3]
    side = fraction * min(height, width) / 2
    root = aspect**0.5
    y = np.abs(from_numpy([[i + 0.5 for i in range(height)]]) - uniforms[:, 0:1] * height)
    x = np.abs(from_numpy([[i + 0.5 for i in range(width)]]) - uniforms[:, 1:2] * width)
    rows, columns = y < np.reshape(side * root, (-1, 1)), x < np.reshape(side / root, (-1, 1))
    return np.reshape(rows, (-1, height, 1, 1)) & np.reshape(columns, (-1, 1, width, 1))


def cutout(images: Array, fraction: Array, uniforms: Array) -> Array:
    return np.where(box(fraction, uniforms, images), 0.5, images)


def stretched(uniforms: Array) -> Array:
    return np.exp(math.log(3.3) * (2 * uniforms[:, 2] - 1))


def erase(images: Array, area: Array, uniforms: Array) -> Array:
    return np.where(box(np.sqrt(area), uniforms, images, stretched(uniforms)), 0.0, images)


def erase_mean(images: Array, area: Array, uniforms: Array) -> Array:
    mean = np.mean(images, axis=(1, 2), keepdims=True)
    return np.where(box(np.sqrt(area), uniforms, images, stretched(uniforms)), mean, images)


def grid_mask(images: Array, share: Array, uniforms: Array) -> Array:
    height, width = images.shape[1:3]
    period = (0.2 + 0.4 * uniforms[:, 0:1]) * min(height, width)
    y = from_numpy([[i + 0.5 for i in range(height)]]) / period + uniforms[:, 1:2]
    x = from_numpy([[i + 0.5 for i in range(width)]]) / period + uniforms[:, 2:3]
    share = np.reshape(share, (-1, 1))
    rows, columns = y - np.floor(y) < share, x - np.floor(x) < share
    hidden = np.reshape(rows, (-1, height, 1, 1)) & np.reshape(columns, (-1, 1, width, 1))
    return np.where(hidden, 0.0, images)
