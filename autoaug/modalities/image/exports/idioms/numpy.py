"""Policies in NumPy, with OpenCV where it is; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autoaug.modalities.expressions import number, one_of
from autoaug.modalities.image.exports.idioms.drawn import by_helper, drawn
from autoaug.modalities.runtime import Call, Expression

use = "image = Augment(seed=0)(image)"
imports: Sequence[str] = ("import sys", "from typing import Any", "import numpy as np", "from PIL import Image")
helpers: Sequence[Path] = (Path(__file__).parent / "numpy_helpers.py",)
shell = Path(__file__).parent / "numpy.txt"
published: Mapping[str, str] = {}
published_note = ""


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    p = number(probability)
    if operator == "GaussianNoise":
        return drawn("Random", "noise", p, {"sigma": (low, high), "seed": (0, 1e9)})
    kind = "Either" if either else "Random"
    return None if operator == "Hue" else by_helper(operator, low, high, p, kind, kind)


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return one_of("OneOf", items, weights)


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("InTurn([", items, "])")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "InTurn([])"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: it mixes no batches."""
    return None
