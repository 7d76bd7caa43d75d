"""Policies in the words of audiomentations; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.audio.exports.idioms.steps import step
from autoaug.modalities.expressions import number, one_of
from autoaug.modalities.runtime import Call, Expression

_EXPORTS = Path(__file__).parents[1]

use = "samples = Augment()(samples, 16000)"
imports: Sequence[str] = ("from typing import Any", "import numpy as np", "import audiomentations as A")
#: For what the library lacks or defines otherwise, autoaug's functions in NumPy.
helpers: Sequence[Path] = (
    _EXPORTS.parent / "fourier.py",
    _EXPORTS.parent / "recordings.py",
    _EXPORTS / "arrays.py",
    _EXPORTS / "array_apply.py",
    Path(__file__).parent / "audiomentations_helpers.py",
)
shell = Path(__file__).parent / "audiomentations.txt"
published: Mapping[str, str] = {}
published_note = ""


def _hertz(share: float) -> str:
    """The frequency at a share of the mel scale, as far as the library's filters go."""
    return number(min(max(700 * (10 ** (2840.02 * share / 2595) - 1), 1), 7999))


def _ends(name: str, low: float, high: float) -> str:
    """The arguments for the ends of a range."""
    return f"min_{name}={number(low)}, max_{name}={number(high)}"


_STEEP = "min_rolloff=24, max_rolloff=24, zero_phase=True"
#: The library's own, for the lowest and the highest value and the probability.
_NATIVE: Mapping[str, Callable[[float, float, str], str]] = {
    "Gain": lambda low, high, p: f"A.Gain({_ends('gain_db', low, high)}, p={p})",
    "Polarity": lambda low, high, p: f"A.PolarityInversion(p={p})",
    "LowPass": lambda low, high, p: f"A.LowPassFilter({_hertz(1 - high)}, {_hertz(1 - low)}, {_STEEP}, p={p})",
    "HighPass": lambda low, high, p: f"A.HighPassFilter({_hertz(low)}, {_hertz(high)}, {_STEEP}, p={p})",
    "TimeShift": lambda low, high, p: f"A.Shift({_ends('shift', low, high)}, rollover=False, fade_duration=0, p={p})",
    "TimeMask": lambda low, high, p: f"A.TimeMask({_ends('band_part', low, high)}, fade_duration=0.002, p={p})",
}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`. The library draws the ratio of noise in decibels, so its noise is that of
    a policy only where the ratio is fixed.
    """
    p = number(probability)
    if either:
        return None
    if operator == "WhiteNoise" and low == high:
        decibels = number(-20 * math.log10(high))
        return f"A.AddGaussianSNR({decibels}, {decibels}, p={p})"
    return _NATIVE[operator](low, high, p) if operator in _NATIVE else step(operator, low, high, probability)


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return one_of("A.OneOf", items, weights, "weights")


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("A.Compose([", items, "])")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "A.Compose([])"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: it mixes no batches."""
    return None
