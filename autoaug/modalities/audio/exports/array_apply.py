"""How an exported NumPy module checks its input, and applies its operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoaug.modalities.audio.exports.arrays import answer, compose_times, cut, frequencies, lengths_of, retime

Array = Any


def as_floats(waves: Array) -> Array:
    """Waveforms ``[n, C, T]``, int16, or floating point in [-1, 1] (values outside by at most 1e-3 are clamped), as
    float32; raises ValueError for anything else.
    """
    if waves.ndim != 3 or 0 in waves.shape[1:] or waves.shape[1] > max(2, waves.shape[2]):
        shape = list(waves.shape)
        raise ValueError(f"waveforms must be [n, C, T] with at least one value, channels first, not of shape {shape}")
    if waves.dtype.newbyteorder("=") == np.int16:
        return waves.astype("float32") / 32768
    if waves.dtype.kind != "f":
        raise ValueError(f"waveforms must be int16, or floating point in [-1, 1], not {waves.dtype}")
    peak = float(np.abs(waves).max(initial=0))
    if not peak <= 1.001:
        what = "NaN" if peak != peak else f"values up to {peak:g}"
        raise ValueError(f"the waveforms have {what}; they must be finite and in [-1, 1]")
    return np.clip(waves, -1, 1).astype("float32")


def as_type(waves: Array, dtype: Any) -> Array:
    """Waveforms in [-1, 1] as `dtype`; int16 rounds."""
    if dtype.newbyteorder("=") == np.int16:
        return np.clip(np.round(waves * 32768), -32768, 32767).astype(dtype)
    return waves.astype(dtype)


def apply_operations(waves: Array, choice: Array, magnitude: Array, uniforms: Array) -> Array:
    """Apply to each of ``waves [n, C, T]``, float32 in [-1, 1], its operators in order; in every step, all waveforms
    with the same operator are batched. Consecutive filters are multiplied, and consecutive changes of time composed.
    """
    waves, lengths, n = waves.copy(), lengths_of(waves), len(waves)
    hertz = frequencies(waves.shape[-1])
    responses, times = np.ones((n, len(hertz)), "float32"), np.tile(np.array([[1.0, 0.0, 1.0]], "float32"), (n, 1))
    waiting = {"response": np.zeros(n, bool), "times": np.zeros(n, bool)}

    def finish(kind: str, some: Array) -> None:
        rows = some[waiting[kind][some]]
        if len(rows) and kind == "response":
            waves[rows] = answer(waves[rows], responses[rows], lengths[rows])
            responses[rows] = 1.0
        elif len(rows):
            waves[rows], lengths[rows] = retime(waves[rows], times[rows], lengths[rows])
            times[rows] = (1.0, 0.0, 1.0)
        waiting[kind][rows] = False

    for step in range(len(choice)):
        for index, (kind, function, limit) in enumerate(OPERATORS):
            rows = np.flatnonzero(choice[step] == index)
            if not len(rows):
                continue
            value, numbers = (magnitude[step, rows] * limit).astype("float32"), uniforms[step, rows].astype("float32")
            for other in {"response", "times"} - {kind}:
                finish(other, rows)
            if kind == "response":
                responses[rows] *= function(value, numbers, hertz)
                waiting[kind][rows] = True
            elif kind == "times":
                times[rows] = compose_times(times[rows], function(value, numbers))
                waiting[kind][rows] = True
            elif kind == "resized":
                waves[rows] = np.clip(function(waves[rows], value, numbers, lengths[rows]), -1, 1)
                lengths[rows] = lengths_of(waves[rows])
            else:
                waves[rows] = cut(function(waves[rows], value, numbers, lengths[rows]), lengths[rows])
    for kind in waiting:
        finish(kind, np.arange(n))
    return waves


#: Kind, function and value at magnitude 1 of each operator; an exported module has its own list.
OPERATORS: list[tuple[str, Callable[..., Array], float]] = []
