"""Policies in the words of Keras 3; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.image.exports.idioms.numbers import drawn, number
from autoaug.modalities.runtime import Call, Expression

use = "images = Augment()(images, training=True)"
imports: Sequence[str] = ("from typing import Any", "import keras", "from keras import ops")
helpers = Path(__file__).parent / "keras_helpers.py"
shell = Path(__file__).parent / "keras.txt"
published: Mapping[str, str] = {}
published_note = ""


def _value(function: str, p: str, **ends: tuple[float, float]) -> str:
    """A function of pixels whose arguments are drawn."""
    return drawn("RandomValue", function, p, ends)


def _warp(function: str, p: str, **ends: tuple[float, float]) -> str:
    """A movement of pixels whose arguments are drawn."""
    return drawn("RandomWarp", function, p, ends)


#: The expression for each operator, for the lowest and the highest value and the probability.
_WORDS: Mapping[str, Callable[[float, float, str], str]] = {
    "HorizontalFlip": lambda low, high, p: _warp("horizontal_flip", p),
    "VerticalFlip": lambda low, high, p: _warp("vertical_flip", p),
    "Invert": lambda low, high, p: _value("invert", p),
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
    "Rotate": lambda low, high, p: _warp("rotate", p, degrees=(low, high)),
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
    "Transpose": lambda low, high, p: _warp("transpose", p),
    "Cutout": lambda low, high, p: _value("cutout", p, side=(low, high), x=(0, 1), y=(0, 1)),
}


def operation(operator: str, low: float, high: float, probability: float) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    if operator in ("HorizontalFlip", "VerticalFlip") and probability == 0.5:
        return f'keras.layers.RandomFlip("{operator.removesuffix("Flip").lower()}")'
    if operator == "AutoContrast" and low == probability == 1:
        return "keras.layers.AutoContrast(value_range=(0, 1))"
    if operator == "Grayscale" and low == 1:
        return f"keras.layers.RandomGrayscale({number(probability)})"
    return _WORDS[operator](low, high, number(probability)) if operator in _WORDS else None


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    even = max(weights) - min(weights) < 1e-9
    return Call("OneOf([", items, "])" if even else f"], p=[{', '.join(map(number, weights))}])")


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("InTurn([", items, "])")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "keras.layers.Identity()"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`. Keras's layers mix every batch, and its CutMix draws weights evenly, not
    from a Beta distribution.
    """
    if tuple(kinds) != ("mixup",) or probability < 1:
        return None
    return f'''def mixing() -> keras.layers.Layer:
    """Mixes batches afterwards: ``mixing()({{"images": images, "labels": soft}}, training=True)``."""
    return keras.layers.MixUp(alpha={number(alpha)})'''
