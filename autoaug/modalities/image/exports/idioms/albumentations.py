"""Policies in the words of albumentations; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.image.exports.idioms.numbers import drawn, number, pair
from autoaug.modalities.runtime import Call, Expression

use = "image = A.Compose([Augment()], seed=0)(image=image)['image']"
imports: Sequence[str] = (
    "import random",
    "import sys",
    "from typing import Any",
    "import albumentations as A",
    "import numpy as np",
)
helpers = Path(__file__).parent / "albumentations_helpers.py"
shell = Path(__file__).parent / "albumentations.txt"
published: Mapping[str, str] = {}
published_note = ""


def _value(function: str, p: str, **ends: tuple[float, float]) -> str:
    """A function of pixels whose arguments are drawn."""
    return drawn("RandomValue", function, p, ends)


def _warp(function: str, p: str, **ends: tuple[float, float]) -> str:
    """A movement of pixels whose arguments are drawn."""
    return drawn("RandomWarp", function, p, ends)


_BILINEAR = "interpolation=cv2.INTER_LINEAR, border_mode=cv2.BORDER_CONSTANT"
#: The expression for each operator, for the lowest and the highest value and the probability.
_WORDS: Mapping[str, Callable[[float, float, str], str]] = {
    "HorizontalFlip": lambda low, high, p: f"A.HorizontalFlip(p={p})",
    "VerticalFlip": lambda low, high, p: f"A.VerticalFlip(p={p})",
    "Invert": lambda low, high, p: f"A.InvertImg(p={p})",
    "Brightness": lambda low, high, p: _value("brightness", p, factor=(1 + low, 1 + high)),
    "Contrast": lambda low, high, p: _value("contrast", p, factor=(1 + low, 1 + high)),
    "Saturation": lambda low, high, p: _value("saturation", p, factor=(1 + low, 1 + high)),
    "Grayscale": lambda low, high, p: _value("saturation", p, factor=(1 - high, 1 - low)),
    "Sharpness": lambda low, high, p: _value("sharpness", p, factor=(1 + low, 1 + high)),
    "Posterize": lambda low, high, p: _value("posterize", p, bits=(8 - high, 8 - low)),
    "Solarize": lambda low, high, p: _value("solarize", p, threshold=(1 - high, 1 - low)),
    "AutoContrast": lambda low, high, p: _value("autocontrast", p, share=(low, high)),
    "Equalize": lambda low, high, p: _value("equalize", p, share=(low, high)),
    "Gamma": lambda low, high, p: _value("gamma", p, octaves=(low, high)),
    "GaussianBlur": lambda low, high, p: _value("blur", p, fraction=(low, high)),
    "GaussianNoise": lambda low, high, p: f"A.GaussNoise(std_range={pair(low, high)}, p={p})",
    "Rotate": lambda low, high, p: f"A.Rotate({pair(low, high)}, {_BILINEAR}, p={p})",
    "ShearX": lambda low, high, p: _warp("shear", p, x=(low, high)),
    "ShearY": lambda low, high, p: _warp("shear", p, y=(low, high)),
    "TranslateX": lambda low, high, p: _warp("translate", p, x=(low, high)),
    "TranslateY": lambda low, high, p: _warp("translate", p, y=(low, high)),
    "Scale": lambda low, high, p: _warp("zoom", p, octaves=(low, high)),
    "PadCrop": lambda low, high, p: _warp("pad_crop", p, padding=(low, high), x=(0, 1), y=(0, 1)),
    "RandomResizedCrop": lambda low, high, p: _warp(
        "resized_crop", p, share=(low, high), area=(0, 1), aspect=(-1, 1), x=(0, 1), y=(0, 1)
    ),
    "QuarterTurn": lambda low, high, p: _warp("quarter_turn", p, case=(0, 3)),
    "Transpose": lambda low, high, p: _warp("transpose", p, on=(1, 1)),
    "Cutout": lambda low, high, p: _value("cutout", p, side=(low, high), x=(0, 1), y=(0, 1)),
}


def operation(operator: str, low: float, high: float, probability: float) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    return _WORDS[operator](low, high, number(probability)) if operator in _WORDS else None


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
