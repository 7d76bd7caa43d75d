"""Curves: operators that are functions of a channel's value, as tables of 256 values in [0, 1], one row per channel or
one for all.

Each takes the table of what was done before, so that a run of curves becomes one table, without rounding between them.
The same curves as in `autoaug.modalities.image.tone` and `color`, which explain them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from autoaug.modalities.image.arrays.values import channels_of, gray_weights

#: Whole levels, and the table of the identity.
WHOLE = np.arange(256, dtype=np.float32)[None]
LEVELS = WHOLE / np.float32(255)


class Values:
    """The values of an image under a table: what curves that depend on the image must know.

    Args:
        image: ``[H, W]`` or ``[H, W, C]`` uint8.
        table: float32 ``[1, 256]`` or ``[C, 256]`` in [0, 1].
    """

    def __init__(self, image: np.ndarray, table: np.ndarray) -> None:
        self.image, self.table = image, table
        self.channels = channels_of(image)
        self.pixels = image.size // self.channels

    def counts(self) -> np.ndarray:
        """How often each level occurs in the image, float32 ``[C, 256]``."""
        counts = np.empty((self.channels, 256), np.float32)
        for channel, own in enumerate(counts):
            cv2.calcHist([self.image], [channel], None, [256], [0, 256], own)
        return counts

    def ends(self) -> tuple[list[float], list[float]]:
        """The lowest and the highest value of each channel."""
        if self.table is LEVELS:
            # Over rows first: pixels one by one take five times as long.
            low = np.minimum.reduce(np.minimum.reduce(self.image).reshape(-1, self.channels)).tolist()
            high = np.maximum.reduce(np.maximum.reduce(self.image).reshape(-1, self.channels)).tolist()
            return [level / 255 for level in low], [level / 255 for level in high]
        occurs = self.counts() > 0
        ends = np.where(occurs, self.table, 2).min(1), np.where(occurs, self.table, -1).max(1)
        return ends[0].tolist(), ends[1].tolist()

    def mean_gray(self) -> float:
        """The mean gray value."""
        if self.table is LEVELS:
            means = [level / 255 for level in cv2.mean(self.image)]
        else:
            means = ((self.counts() * self.table).sum(1) / self.pixels).tolist()
        return sum([mean * weight for mean, weight in zip(means, gray_weights(self.channels), strict=False)])


def _brightness(values: Values, change: float, uniforms: Sequence[float]) -> np.ndarray:
    return values.table * (1 + change)


def _contrast(values: Values, change: float, uniforms: Sequence[float]) -> np.ndarray:
    return np.maximum(values.table * (1 + change) - change * values.mean_gray(), 0)


def _invert(values: Values, on: float, uniforms: Sequence[float]) -> np.ndarray:
    return 1 - values.table if on >= 0.5 else values.table


def _autocontrast(values: Values, share: float, uniforms: Sequence[float]) -> np.ndarray:
    lines = []
    for low, high in zip(*values.ends(), strict=True):
        gain, weight = (share / (high - low), share) if high - low >= 1e-6 else (0.0, 0.0)
        lines.append((1 + gain - weight, low * gain))
    scale, shift = np.array(lines, np.float32).T[..., None]
    return values.table * scale - shift


def _channel_drop(values: Values, share: float, uniforms: Sequence[float]) -> np.ndarray:
    scale = np.ones((values.channels, 1), np.float32)
    if values.channels > 1:
        scale[int(uniforms[0] * values.channels)] -= share
    return values.table * scale


def _color_temperature(values: Values, octaves: float, uniforms: Sequence[float]) -> np.ndarray:
    if values.channels != 3:
        return values.table
    return values.table * np.exp2(octaves * np.array([[0.5], [0.0], [-0.5]])).astype(np.float32)


def _solarize(values: Values, depth: float, uniforms: Sequence[float]) -> np.ndarray:
    if depth <= 0:
        return values.table
    table = 1 - values.table
    np.copyto(table, values.table, where=values.table < np.float32(1 - depth - 1e-4))  # np.where takes twice as long
    return table


def _posterize(values: Values, bits: float, uniforms: Sequence[float]) -> np.ndarray:
    step = 2 ** math.floor(np.float32(bits + 0.5))  # 4, not 3.9999999
    if step <= 1:
        return values.table
    levels = WHOLE if values.table is LEVELS else np.floor(values.table * 255 + np.float32(1e-3))
    return np.floor(levels * (1 / step)) * (step / 255)  # NumPy's // is many times slower


def _equalize(values: Values, share: float, uniforms: Sequence[float]) -> np.ndarray:
    counts, table = values.counts(), values.table
    if table is not LEVELS:
        levels = np.rint(table * 255).astype(np.int64).repeat(values.channels // len(table), 0)
        counts = np.array([np.bincount(*own, 256) for own in zip(levels, counts, strict=True)])
    sums, lines = np.add.accumulate(counts, 1), []
    for own, highest in zip(counts, sums.argmax(1).tolist(), strict=True):  # the highest level that occurs
        below = values.pixels - own.item(highest)
        step = max(below // 255, 1)
        lines.append((1 / step, (step // 2 + 0.25) / step, share if below >= 255 else 0.0))  # 4, not 3.9999999
    scale, shift, weight = np.array(lines, np.float32).T[..., None]
    new = np.minimum(np.floor((sums - counts) * scale + shift), 255) * (1 / 255)
    if table is not LEVELS:
        new = np.take_along_axis(new, levels, 1)
    return table + weight * (new - table)


def _solarize_add(values: Values, added: float, uniforms: Sequence[float]) -> np.ndarray:
    return np.where(values.table < 0.5, values.table + np.float32(added), values.table)


def _gamma(values: Values, octaves: float, uniforms: Sequence[float]) -> np.ndarray:
    return np.where(values.table < 1e-6, values.table, values.table ** np.float32(2**octaves))


#: The table after an operator, by the operator's name; no value that occurs is below 0, and those above 1 are clipped.
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
