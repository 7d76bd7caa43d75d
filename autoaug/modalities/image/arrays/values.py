"""Small facts about images as arrays, which several operators need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from autoaug.modalities.image.exports.array_noise import random_bits


def channels_of(image: np.ndarray) -> int:
    """The number of channels of ``[H, W]`` or ``[H, W, C]``."""
    return 1 if image.ndim == 2 else image.shape[2]


@cache
def gray_weights(channels: int) -> list[float]:
    """The weight of each channel in the gray value; see `autoaug.modalities.image.color`."""
    return [0.299, 0.587, 0.114] if channels == 3 else [1 / channels] * channels


def random_order(uniforms: Sequence[float], count: int) -> np.ndarray:
    """The order of `count` things that the uniform numbers tell; see `autoaug.functional.noise.uniform_noise`."""
    return np.argsort(random_bits(np.array([uniforms]), count)[0], kind="stable")


def as_levels(values: np.ndarray) -> np.ndarray:
    """Values in [0, 1], or beyond, as uint8."""
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
