"""Operators that need noise, in NumPy, with the same numbers as `autoaug.functional.noise`, which explains them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autoaug.modalities.image.exports.arrays import box, per_image, stretched

Array = Any


def scramble(x: Array) -> Array:
    low = np.uint64(0xFFFFFFFF)
    x = x & low
    x = ((x ^ (x >> np.uint64(16))) * np.uint64(0x85EBCA6B)) & low
    x = ((x ^ (x >> np.uint64(13))) * np.uint64(0xC2B2AE35)) & low
    return x ^ (x >> np.uint64(16))


def random_bits(uniforms: Array, count: int) -> Array:
    key = (uniforms[:, :2].astype("float64") * 2**24).astype("uint64")
    index = np.arange(count, dtype="uint64")
    return scramble(scramble(index + (key[:, :1] << np.uint64(8))) ^ key[:, 1:2])


def planes(flat: Array, shape: tuple[int, ...]) -> Array:
    """Reshape numbers in the order channel, row, column to ``[n, H, W, C]``."""
    return np.moveaxis(flat.reshape(-1, shape[2], shape[0], shape[1]), 1, -1).astype("float32")


def uniform_noise(uniforms: Array, shape: tuple[int, ...]) -> Array:
    return planes(random_bits(uniforms, math.prod(shape)).astype("float64") / 2**32, shape)


def normal_noise(uniforms: Array, shape: tuple[int, ...]) -> Array:
    first = random_bits(uniforms, math.prod(shape))
    second = scramble(first ^ np.uint64(0x5BD1E995)).astype("float64")
    radius = np.sqrt(-2 * np.log((first.astype("float64") + 1) / 2**32))
    return planes(radius * np.cos(2 * math.pi * second / 2**32), shape)


def gaussian_noise(images: Array, sigma: Array, uniforms: Array) -> Array:
    return np.clip(images + per_image(sigma) * normal_noise(uniforms, images.shape[1:]), 0, 1)


def poisson_noise(images: Array, sigma: Array, uniforms: Array) -> Array:
    noise = normal_noise(uniforms, images.shape[1:])
    return np.clip(images + per_image(sigma) * np.sqrt(np.maximum(images, 1e-6)) * noise, 0, 1)


def salt_and_pepper(images: Array, share: Array, uniforms: Array) -> Array:
    chance, half = uniform_noise(uniforms, (*images.shape[1:3], 1)), per_image(share) / 2
    return np.where(chance < half, 0.0, np.where(chance < 2 * half, 1.0, images))


def erase_noise(images: Array, area: Array, uniforms: Array) -> Array:
    noise = uniform_noise(uniforms, images.shape[1:])
    return np.where(box(np.sqrt(area), uniforms, images, stretched(uniforms)), noise, images)
