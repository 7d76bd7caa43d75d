"""Policies in the words of Keras 3; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autoaug.modalities.expressions import number, one_of, pair
from autoaug.modalities.image.exports.idioms.drawn import by_helper
from autoaug.modalities.runtime import Call, Expression

use = "images = Augment()(images, training=True)"
imports: Sequence[str] = ("from typing import Any", "import keras", "from keras import layers", "from keras import ops")
helpers: Sequence[Path] = (Path(__file__).parent / "keras_helpers.py",)
shell = Path(__file__).parent / "keras.txt"
published: Mapping[str, str] = {}
published_note = ""
#: Operators without a helper.
_MISSING = {"GaussianNoise", "Hue"}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    native = None if either else _by_chance(operator, low, probability)
    if native or operator in _MISSING:
        return native
    made: Expression | None
    ranges = [(low, low), (high, high)] if either else [(low, high)]
    if own := [layer for ends in ranges if (layer := _always(operator, *ends))]:
        made = own[0] if len(own) == 1 else choice(own, [0.5, 0.5])
    else:
        kind = "Either" if either else "Random"
        made = by_helper(operator, low, high, kind, kind)
    return made if made is None or probability == 1 else Call("RandomApply([", [made], f"], p={number(probability)})")


def _by_chance(operator: str, low: float, probability: float) -> str | None:
    """Keras's own, where it has the probability."""
    if operator in ("HorizontalFlip", "VerticalFlip") and probability == 0.5:
        return f'layers.RandomFlip("{operator.removesuffix("Flip").lower()}")'
    if operator == "Invert":
        return f"layers.RandomInvert({pair(probability, probability)}, value_range=(0, 1))"
    if operator == "Grayscale" and low == 1:
        return f"layers.RandomGrayscale({number(probability)})"
    return None


def _always(operator: str, low: float, high: float) -> str | None:
    """Keras's own for all images, where it is drawn and defined as here."""
    if operator == "AutoContrast" and low == 1:
        return "layers.AutoContrast(value_range=(0, 1))"
    if operator == "Rotate":
        return f'layers.RandomRotation({pair(low / 360, high / 360)}, fill_mode="constant")'
    if operator == "Solarize" and high == 1:  # it takes the lower end for a level of 255
        return f"layers.Solarization(threshold_factor={pair(0, 1 - low)}, value_range=(0, 1))"
    if operator == "Posterize" and low == high:  # it draws bits evenly
        return f"layers.RandomPosterization({pair(round(8 - low), round(8 - low))}, value_range=(0, 1))"
    return None


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return one_of("OneOf", items, weights)


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("layers.Pipeline([", items, "])")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "layers.Identity()"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`. Keras's layers mix every batch, and its CutMix draws weights evenly, not
    from a Beta distribution.
    """
    if tuple(kinds) != ("mixup",) or probability < 1:
        return None
    return f'''def mixing() -> layers.Layer:
    """Mixes batches afterwards: ``mixing()({{"images": images, "labels": soft}}, training=True)``."""
    return layers.MixUp(alpha={number(alpha)})'''
