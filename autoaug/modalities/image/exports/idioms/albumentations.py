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
    "import random",
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
    "Transpose": lambda low, high, p: drawn("RandomWarp", "transpose", p, {"on": (1, 1)}),
}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    p = number(probability)
    if either:
        return None
    if operator in _NATIVE:
        return _NATIVE[operator](low, high, p)
    return None if operator == "Hue" else by_helper(operator, low, high, p, "RandomValue", "RandomWarp")


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`. The weights are the items' probabilities, so each is wrapped if those
    matter.
    """
    even = max(weights) - min(weights) < 1e-9
    tails = (item if isinstance(item, str) else item.tail for item in items)
    if even and not any(re.search(r"\bp=(?!1[),])", tail) for tail in tails):
        return Call("A.OneOf([", items, "], p=1)")
    wrapped = [Call("A.Sequential([", [item], f"], p={number(w)})") for item, w in zip(items, weights, strict=True)]
    return Call("A.OneOf([", wrapped, "], p=1)")


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("A.Sequential([", items, "], p=1)")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "A.NoOp(p=1)"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: it mixes no batches."""
    return None
