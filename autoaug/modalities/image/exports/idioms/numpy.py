"""Policies in NumPy, with OpenCV where it is; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.image.exports.idioms.numbers import drawn, number
from autoaug.modalities.runtime import Call, Expression

use = "image = Augment(seed=0)(image)"
imports: Sequence[str] = ("import sys", "from typing import Any", "import numpy as np", "from PIL import Image")
helpers = Path(__file__).parent / "numpy_helpers.py"
shell = Path(__file__).parent / "numpy.txt"
published: Mapping[str, str] = {}
published_note = ""

Ends = dict[str, tuple[float, float]]
#: The function for each operator, and the ends of its arguments for the lowest and the highest value.
_WORDS: Mapping[str, tuple[str, Callable[[float, float], Ends]]] = {
    "HorizontalFlip": ("horizontal_flip", lambda low, high: {}),
    "VerticalFlip": ("vertical_flip", lambda low, high: {}),
    "Invert": ("invert", lambda low, high: {}),
    "Brightness": ("brightness", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Contrast": ("contrast", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Saturation": ("saturation", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Grayscale": ("saturation", lambda low, high: {"factor": (1 - high, 1 - low)}),
    "Sharpness": ("sharpness", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Posterize": ("posterize", lambda low, high: {"bits": (8 - high, 8 - low)}),
    "Solarize": ("solarize", lambda low, high: {"threshold": (1 - high, 1 - low)}),
    "AutoContrast": ("autocontrast", lambda low, high: {"share": (low, high)}),
    "Equalize": ("equalize", lambda low, high: {"share": (low, high)}),
    "Gamma": ("gamma", lambda low, high: {"octaves": (low, high)}),
    "GaussianBlur": ("blur", lambda low, high: {"fraction": (low, high)}),
    "GaussianNoise": ("noise", lambda low, high: {"sigma": (low, high), "seed": (0, 1e9)}),
    "Rotate": ("rotate", lambda low, high: {"degrees": (low, high)}),
    "ShearX": ("shear", lambda low, high: {"x": (low, high)}),
    "ShearY": ("shear", lambda low, high: {"y": (low, high)}),
    "TranslateX": ("translate", lambda low, high: {"x": (low, high)}),
    "TranslateY": ("translate", lambda low, high: {"y": (low, high)}),
    "Scale": ("zoom", lambda low, high: {"octaves": (low, high)}),
    "PadCrop": ("pad_crop", lambda low, high: {"padding": (low, high), "x": (0, 1), "y": (0, 1)}),
    "RandomResizedCrop": (
        "resized_crop",
        lambda low, high: {"share": (low, high), "area": (0, 1), "aspect": (-1, 1), "x": (0, 1), "y": (0, 1)},
    ),
    "QuarterTurn": ("quarter_turn", lambda low, high: {"case": (0, 3)}),
    "Transpose": ("transpose", lambda low, high: {}),
    "Cutout": ("cutout", lambda low, high: {"side": (low, high), "x": (0, 1), "y": (0, 1)}),
}


def operation(operator: str, low: float, high: float, probability: float) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    if operator not in _WORDS:
        return None
    function, ends = _WORDS[operator]
    return drawn("Random", function, number(probability), ends(low, high))


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    even = max(weights) - min(weights) < 1e-9
    return Call("OneOf([", items, "])" if even else f"], p=[{', '.join(map(number, weights))}])")


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("InTurn([", items, "])")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "InTurn([])"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: it mixes no batches."""
    return None
