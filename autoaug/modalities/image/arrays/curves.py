"""Curves: operators that are functions of a channel's value, as tables of 256 values in [0, 1]: ``[1, 256]`` for all
channels, or ``[1, 256, C]``, as OpenCV takes them.

Each takes the table of what was done before, so that a run of curves becomes one table, without rounding between them.
The same curves as in `autoaug.modalities.image.tone` and `color`, which explain them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import cv2
import numpy as np

from autoaug.modalities.image.arrays.values import channels_of, gray_weights

Curve = Callable[[np.ndarray, float, Sequence[float], np.ndarray], np.ndarray]

#: Whole levels, and the table of the identity.
WHOLE = np.arange(256, dtype=np.float32)[None]
LEVELS = WHOLE / np.float32(255)
_BYTES = WHOLE.astype(np.uint8)


def as_bytes(table: np.ndarray) -> np.ndarray:
    """The table in whole levels, uint8, for ``cv2.LUT``: clipped to 1 and rounded as by torch."""
    return cv2.convertScaleAbs(table, None, 255)


def _seen(image: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, int]:
    """The image under the table, and the highest value there: 255, or 1 with values between the levels."""
    return (image, 255) if table is LEVELS else (cv2.LUT(image, table), 1)


def _on_lines(table: np.ndarray, lines: list[tuple[float, float]]) -> np.ndarray:
    """The table with each channel's values on its own line: a scale and a shift."""
    matrix = np.array(lines)
    if table.ndim > 2:
        matrix = np.column_stack([np.diag(matrix[:, 0]), matrix[:, 1]])
    return cv2.transform(table, matrix)


def _brightness(table: np.ndarray, change: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    return table * (1 + change)


def _contrast(table: np.ndarray, change: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    seen, highest = _seen(image, table)
    gray = sum(map(operator.mul, cv2.mean(seen), gray_weights(channels_of(image))))
    return np.maximum(table * (1 + change) - change * gray / highest, 0)


def _invert(table: np.ndarray, on: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    return 1 - table if on >= 0.5 else table


def _autocontrast(table: np.ndarray, share: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    seen, highest = _seen(image, table)
    lines, channels = [], channels_of(image)
    # Over rows first: pixels one by one take five times as long.
    lows = np.minimum.reduce(np.minimum.reduce(seen).reshape(-1, channels)).tolist()
    highs = np.maximum.reduce(np.maximum.reduce(seen).reshape(-1, channels)).tolist()
    for low, high in zip(lows, highs, strict=True):
        span = (high - low) / highest
        gain, weight = (share / span, share) if span >= 1e-6 else (0.0, 0.0)
        lines.append((1 + gain - weight, -low / highest * gain))
    return _on_lines(table, lines)


def _channel_drop(table: np.ndarray, share: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    channels = channels_of(image)
    dropped = int(uniforms[0] * channels) if channels > 1 else None
    return _on_lines(table, [(1 - share if channel == dropped else 1.0, 0.0) for channel in range(channels)])


def _color_temperature(table: np.ndarray, octaves: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    if channels_of(image) != 3:
        return table
    return _on_lines(table, [(2 ** (octaves * side), 0.0) for side in (0.5, 0.0, -0.5)])


def _solarize(table: np.ndarray, depth: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    if depth <= 0:
        return table
    made = 1 - table
    np.copyto(made, table, where=table < np.float32(1 - depth - 1e-4))  # np.where takes twice as long
    return made


def _posterize(table: np.ndarray, bits: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    step = 2 ** math.floor(np.float32(bits + 0.5))  # 4, not 3.9999999
    if step <= 1:
        return table
    return _stairs(step) if table is LEVELS else _down(np.floor(table * 255 + np.float32(1e-3)), step)


@cache
def _stairs(step: int) -> np.ndarray:
    """The table that rounds whole levels down to multiples of `step`."""
    table = _down(WHOLE, step)
    table.flags.writeable = False  # it is shared
    return table


def _down(levels: np.ndarray, step: int) -> np.ndarray:
    return np.floor(levels * (1 / step)) * (step / 255)  # NumPy's // is many times slower


def _equalize(table: np.ndarray, share: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    if table is not LEVELS:
        levels = as_bytes(table)
        image = cv2.LUT(image, levels)
    counts = _counts(image)
    sums, rows, weights = np.add.accumulate(counts, 1), [], []
    below = sums - counts
    for channel, highest in enumerate(sums.argmax(1).tolist()):  # the highest level that occurs
        others = below.item(channel, highest)
        step = max(others // 255, 1)
        # Rounded down, as by half a level less to the nearest; 4, not 3.9999999.
        made = cv2.convertScaleAbs(below[channel : channel + 1], None, 1 / step, (step // 2 + 0.25) / step - 0.5)
        rows.append(made if others >= 255 else _BYTES)
        weights.append(share if others >= 255 else 0.0)
    new = cv2.merge(rows)
    if table is LEVELS and share == 1:
        return new / np.float32(255)
    channels = len(rows)
    if table is not LEVELS:
        new = cv2.LUT(_for_each(levels, channels), new)
    before = _for_each(table, channels)
    return before + np.array(weights, np.float32) * (new / np.float32(255) - before)


def _counts(image: np.ndarray) -> np.ndarray:
    """How often each level occurs in each channel, float32 ``[C, 256]``."""
    counts = np.empty((channels_of(image), 256), np.float32)
    for channel, own in enumerate(counts):
        cv2.calcHist([image], [channel], None, [256], [0, 256], own)
    return counts


def _for_each(table: np.ndarray, channels: int) -> np.ndarray:
    """The table with a column for each of the channels."""
    return table if table.ndim > 2 else cv2.merge([table] * channels)


def _solarize_add(table: np.ndarray, added: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    return np.where(table < 0.5, table + np.float32(added), table)


def _gamma(table: np.ndarray, octaves: float, uniforms: Sequence[float], image: np.ndarray) -> np.ndarray:
    return np.where(table < 1e-6, table, table ** np.float32(2**octaves))


#: The table after an operator, for the table before, a value in the operator's unit, four uniform numbers and the image
#: under the tables, by the operator's name; no value that occurs is below 0, and those above 1 are clipped.
CURVES: Mapping[str, Curve] = {
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
