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
    "from functools import partial",
    "import os",
    "from random import Random",
    "from random import getrandbits",
    "from typing import Any",
    "import albumentations as A",
    "import numpy as np",
)
helpers: Sequence[Path] = (Path(__file__).parent / "albumentations_helpers.py",)
shell = Path(__file__).parent / "albumentations.txt"
published: Mapping[str, str] = {}
published_note = ""


def _jitter(factor: str, low: float, high: float, p: str) -> str:
    """One of the factors of ``ColorJitter``."""
    factors = {name: pair(low, high) if name == factor else "0" for name in ("brightness", "contrast", "saturation")}
    return f"A.ColorJitter({', '.join(f'{name}={ends}' for name, ends in factors.items())}, hue=0, p={p})"


#: The library's own for the lowest and the highest value and the probability.
_NATIVE: Mapping[str, Callable[[float, float, str], str]] = {
    "HorizontalFlip": lambda low, high, p: f"A.HorizontalFlip(p={p})",
    "VerticalFlip": lambda low, high, p: f"A.VerticalFlip(p={p})",
    "Invert": lambda low, high, p: f"A.InvertImg(p={p})",
    "GaussianNoise": lambda low, high, p: f"A.GaussNoise(std_range={pair(low, high)}, p={p})",
    "Rotate": lambda low, high, p: f"A.Rotate({pair(low, high)}, p={p})",
    "Brightness": lambda low, high, p: _jitter("brightness", 1 + low, 1 + high, p),
    "Contrast": lambda low, high, p: _jitter("contrast", 1 + low, 1 + high, p),
    "Saturation": lambda low, high, p: _jitter("saturation", 1 + low, 1 + high, p),
    "Grayscale": lambda low, high, p: _jitter("saturation", 1 - high, 1 - low, p),
    "Solarize": lambda low, high, p: f"A.Solarize({pair(1 - high, 1 - low)}, p={p})",
}
#: The direction of each operator that ``Affine`` draws alike; of a fixed value it may leave out the last pixel.
_MOVES: Mapping[str, str] = {"TranslateX": "x", "TranslateY": "y"}
#: The helper of each operator that is blended with the image.
_BLENDED: Mapping[str, str] = {"AutoContrast": "autocontrast", "Equalize": "equalize"}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    p = number(probability)
    if either and operator in _NATIVE:
        return Call("A.OneOf([", [_NATIVE[operator](end, end, "1") for end in (low, high)], f"], p={p})")
    native = None if either else _native(operator, low, high, p)
    if native or operator == "Hue":
        return native
    options = [*([f"p={p}"] if probability < 1 else []), *(["draw=either"] if either else [])]
    if operator in _BLENDED and low < 1:
        return drawn("RandomValue", f"partial(blend, {_BLENDED[operator]})", {"share": (low, high)}, *options)
    return by_helper(operator, low, high, "RandomValue", "RandomWarp", *options)


def _native(operator: str, low: float, high: float, p: str) -> str | None:
    """Albumentations' own, where it is drawn and defined as here."""
    if operator in _NATIVE:
        return _NATIVE[operator](low, high, p)
    if operator in _MOVES and low < high:
        return f'A.Affine(translate_percent={{"{_MOVES[operator]}": {pair(low, high)}}}, p={p})'
    if operator == "Posterize" and low == high and round(8 - low) < 8:  # it draws bits evenly
        return f"A.Posterize({round(8 - low)}, p={p})"
    return None


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
