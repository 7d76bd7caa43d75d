"""What audiomentations lacks or defines otherwise: transforms that draw the value of a function."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from audiomentations.core.transforms_interface import BaseWaveformTransform

from autoaug.modalities.audio.exports.arrays import answer, cut, frequencies, lengths_of, retime


class Change(BaseWaveformTransform):
    """Apply a function to a sound with a probability, and with a value drawn evenly between two ends."""

    supports_multichannel = True

    def __init__(self, function: Any, low: float, high: float, p: float = 1.0) -> None:
        super().__init__(p)
        self.function, self.low, self.high = function, low, high

    def randomize_parameters(self, samples: Any, sample_rate: int) -> None:
        super().randomize_parameters(samples, sample_rate)
        self.parameters["value"] = random.uniform(self.low, self.high)
        self.parameters["uniforms"] = [random.random() for _ in range(4)]

    def apply(self, samples: Any, sample_rate: int) -> Any:
        waves = np.atleast_2d(samples)[None]
        drawn = (np.array([self.parameters[name]], "float32") for name in ("value", "uniforms"))
        return self.changed(waves, *drawn).reshape(samples.shape).astype("float32")

    def changed(self, waves: Any, value: Any, uniforms: Any) -> Any:
        lengths = lengths_of(waves)
        return cut(self.function(waves, value, uniforms, lengths), lengths)


class Stretch(Change):
    """Likewise, for a function that changes lengths."""

    def changed(self, waves: Any, value: Any, uniforms: Any) -> Any:
        return np.clip(self.function(waves, value, uniforms, lengths_of(waves)), -1, 1)


class Filter(Change):
    """Likewise, for a function that gives the gains at all frequencies."""

    def changed(self, waves: Any, value: Any, uniforms: Any) -> Any:
        return answer(waves, self.function(value, uniforms, frequencies(waves.shape[-1])), lengths_of(waves))


class Timing(Change):
    """Likewise, for a function that gives a change of time; see `retime`."""

    def changed(self, waves: Any, value: Any, uniforms: Any) -> Any:
        return retime(waves, self.function(value, uniforms), lengths_of(waves))[0]


def check(samples: Any, sample_rate: int) -> None:
    if sample_rate != 16000:
        raise ValueError(f"sounds must be at 16000 Hz, which the policy was found at, not {sample_rate}")
    if not isinstance(samples, np.ndarray) or samples.dtype.kind != "f" or samples.ndim not in (1, 2):
        what = f"{samples.dtype} {samples.shape}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise ValueError(f"sounds must be arrays [T] or [C, T] of floats in [-1, 1], not {what}")
    if not np.abs(samples).max(initial=0) <= 1.001:
        raise ValueError("the sound has values beyond [-1, 1], or NaN")
