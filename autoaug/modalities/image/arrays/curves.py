"""Curves: operators that are functions of a channel's value, as tables of 256 values in [0, 1], one column per channel
or one for all.

Each takes the table of what was done before, so that a run of curves becomes one table, without rounding between them.
The same curves as in `autoaug.modalities.image.tone` and `color`, which explain them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from autoaug.modalities.image.arrays.values import channels_of, gray_weights

#: The table of the identity.
LEVELS = (np.arange(256, dtype=np.float32) / np.float32(255))[:, None]


class Values:
    """The values of an image under a table: what curves that depend on the image must know.

    Args:
        image: ``[H, W]`` or ``[H, W, C]`` uint8.
        table: float32 ``[256, 1]`` or ``[256, C]`` in [0, 1].
    """

    def __init__(self, image: np.ndarray, table: np.ndarray) -> None:
        self.image, self.table = image, table
        self.channels = channels_of(image)

    def counts(self) -> np.ndarray:
        """How often each level occurs in the image, int64 ``[256, C]``."""
        counts = np.empty((256, self.channels), np.int64)
        for channel in range(self.channels):
            counts[:, channel] = cv2.calcHist([self.image], [channel], None, [256], [0, 256]).ravel()
        return counts

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest value of each channel, ``[C]``."""
        if self.table is LEVELS:
            reduced = (cv2.reduce(cv2.reduce(self.image, 0, how), 1, how) for how in (cv2.REDUCE_MIN, cv2.REDUCE_MAX))
            low, high = (ends.ravel().astype(np.float32) / np.float32(255) for ends in reduced)
            return low, high
        occurs = self.counts() > 0
        return np.where(occurs, self.table, 2).min(0), np.where(occurs, self.table, -1).max(0)

    def mean_gray(self) -> float:
        """The mean gray value."""
        if self.table is LEVELS:
            means = np.array(cv2.mean(self.image)[: self.channels]) / 255
        else:
            means = (self.counts() * self.table).sum(0) / (self.image.size / self.channels)
        return float(means @ gray_weights(self.channels))


def _brightness(values: Values, change: float, uniforms: Sequence[float]) -> np.ndarray:
    return values.table * np.float32(1 + change)


def _contrast(values: Values, change: float, uniforms: Sequence[float]) -> np.ndarray:
    return values.table * np.float32(1 + change) - np.float32(change * values.mean_gray())


def _invert(values: Values, on: float, uniforms: Sequence[float]) -> np.ndarray:
    return 1 - values.table if on >= 0.5 else values.table


def _autocontrast(values: Values, share: float, uniforms: Sequence[float]) -> np.ndarray:
    low, high = values.ends()
    flat = high - low < 1e-6
    weight = np.where(flat, 0, np.float32(share))
    gain = weight / np.where(flat, 1, high - low)
    return values.table * (1 + gain - weight) - low * gain


def _channel_drop(values: Values, share: float, uniforms: Sequence[float]) -> np.ndarray:
    scale = np.ones(values.channels, np.float32)
    if values.channels > 1:
        scale[int(uniforms[0] * values.channels)] -= share
    return values.table * scale


def _color_temperature(values: Values, octaves: float, uniforms: Sequence[float]) -> np.ndarray:
    if values.channels != 3:
        return values.table
    return values.table * np.exp2(octaves * np.array([0.5, 0.0, -0.5])).astype(np.float32)


def _solarize(values: Values, depth: float, uniforms: Sequence[float]) -> np.ndarray:
    if depth <= 0:
        return values.table
    return np.where(values.table < np.float32(1 - depth - 1e-4), values.table, 1 - values.table)


def _posterize(values: Values, bits: float, uniforms: Sequence[float]) -> np.ndarray:
    step = np.float32(2 ** math.floor(np.float32(bits + 0.5)))  # 4, not 3.9999999
    if step <= 1:
        return values.table
    levels = np.floor(values.table * np.float32(255) + np.float32(1e-3))
    return np.floor(levels / step) * (step / np.float32(255))


def _equalize(values: Values, share: float, uniforms: Sequence[float]) -> np.ndarray:
    counts, table, own = values.counts(), values.table, np.arange(values.channels)
    if table is not LEVELS:
        levels = np.rint(table * 255).astype(np.int64) * np.ones_like(own)
        counts = np.stack([np.bincount(levels[:, c], counts[:, c], 256) for c in own], 1).astype(np.int64)
    before = counts.cumsum(0) - counts
    step = (before * (counts > 0)).max(0) // 255  # all but the highest level's
    new = (before + step // 2) // np.maximum(step, 1)
    equalized = np.minimum(new, 255).astype(np.float32) / np.float32(255)
    if table is not LEVELS:
        equalized = equalized[levels, own]
    return table + np.where(step > 0, np.float32(share), 0) * (equalized - table)


def _solarize_add(values: Values, added: float, uniforms: Sequence[float]) -> np.ndarray:
    return np.where(values.table < 0.5, values.table + np.float32(added), values.table)


def _gamma(values: Values, octaves: float, uniforms: Sequence[float]) -> np.ndarray:
    return np.where(values.table < 1e-6, values.table, values.table ** np.float32(2**octaves))


#: The table after an operator, clipped to [0, 1] afterwards, by the operator's name.
CURVES: Mapping[str, Callable[[Values, float, Sequence[float]], np.ndarray]] = {
    "Brightness": _brightness,
    "Contrast": _contrast,
    "Invert": _invert,
    "AutoContrast": _autocontrast,
    "ChannelDrop": _channel_drop,
    "ColorTemperature": _color_temperature,
    "Solarize": _solarize,
    "Posterize": _posterize,
    "Equalize": _equalize,
    "SolarizeAdd": _solarize_add,
    "Gamma": _gamma,
}
