"""Policies in the words of albumentations; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.expressions import number, pair
from autoaug.modalities.image.exports.idioms.drawn import by_helper, drawn
from autoaug.modalities.runtime import Call, Expression

use = "image = A.Compose([Augment()], seed=0)(image=image)['image']"
imports: Sequence[str] = (
    "from random import Random",
    "import sys",
    "from typing import Any",
    "import albumentations as A",
    "import numpy as np",
)
helpers: Sequence[Path] = (Path(__file__).parent / "albumentations_helpers.py",)
shell = Path(__file__).parent / "albumentations.txt"
published: Mapping[str, str] = {}
published_note = ""


_BILINEAR = "interpolation=cv2.INTER_LINEAR, border_mode=cv2.BORDER_CONSTANT"
#: The library's own, or another form, for the lowest and the highest value and the probability.
_NATIVE: Mapping[str, Callable[[float, float, str], str]] = {
    "HorizontalFlip": lambda low, high, p: f"A.HorizontalFlip(p={p})",
    "VerticalFlip": lambda low, high, p: f"A.VerticalFlip(p={p})",
    "Invert": lambda low, high, p: f"A.InvertImg(p={p})",
    "GaussianNoise": lambda low, high, p: f"A.GaussNoise(std_range={pair(low, high)}, p={p})",
    "Rotate": lambda low, high, p: f"A.Rotate({pair(low, high)}, {_BILINEAR}, p={p})",
}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    if operator in _NATIVE:
        return None if either else _NATIVE[operator](low, high, number(probability))
    options = [*([f"p={number(probability)}"] if probability < 1 else []), *(["draw=either"] if either else [])]
    if operator == "Transpose":
        return drawn("RandomWarp", "transpose", {"on": (1, 1)}, *options)
    return None if operator == "Hue" else by_helper(operator, low, high, "RandomValue", "RandomWarp", *options)


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`. The weights are the items' probabilities, so each is wrapped if those
    matter.
    """
    even = max(weights) - min(weights) < 1e-9
    tails = (item if isinstance(item, str) else item.tail for item in items)
    if even and not any(re.search(r"\bp=(?!1[),])", tail) for tail in tails):
        return Call("A.OneOf([", items, "], p=1)")
    return Call("A.OneOf([", [_weighted(item, weight) for item, weight in zip(items, weights, strict=True)], "], p=1)")


def _weighted(item: Expression, weight: float) -> Expression:
    """The item in a sequence with that probability; one that is a sequence already gets it itself."""
    steps = item.items if isinstance(item, Call) and item[::2] == in_turn([])[::2] else [item]
    return Call("A.Sequential([", steps, f"], p={number(weight)})")


def in_turn(items: Sequence[Expression]) -> Call:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("A.Sequential([", items, "], p=1)")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "A.NoOp(p=1)"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: it mixes no batches."""
    return None
