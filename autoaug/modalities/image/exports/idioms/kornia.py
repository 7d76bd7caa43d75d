"""Policies in the words of Kornia; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.expressions import number, one_of, pair
from autoaug.modalities.image.exports.idioms.drawn import by_helper, drawn
from autoaug.modalities.runtime import Call, Expression

use = "images = Augment()(images); torch.manual_seed seeds it"
imports: Sequence[str] = (
    "from functools import partial",
    "from typing import Any",
    "import kornia.augmentation as K",
    "import kornia.enhance as E",
    "import torch",
    "from torch import Tensor",
    "from torch import nn",
)
helpers: Sequence[Path] = (Path(__file__).parent / "kornia_helpers.py",)
shell = Path(__file__).parent / "kornia.txt"
published: Mapping[str, str] = {}
published_note = ""
#: Kornia's own for the lowest and the highest value and the probability.
_NATIVE: Mapping[str, Callable[[float, float, str], str]] = {
    "HorizontalFlip": lambda low, high, p: f"K.RandomHorizontalFlip(p={p})",
    "VerticalFlip": lambda low, high, p: f"K.RandomVerticalFlip(p={p})",
    "Invert": lambda low, high, p: f"K.RandomInvert(p={p})",
    "Posterize": lambda low, high, p: f"K.RandomPosterize({pair(8 - high, 8 - low)}, p={p})",
    "Solarize": lambda low, high, p: f"K.RandomSolarize({pair(1 - high, 1 - low)}, additions=(0, 0), p={p})",
    "Rotate": lambda low, high, p: f"K.RandomRotation({pair(low, high)}, p={p})",
    "Brightness": lambda low, high, p: f"K.ColorJitter(brightness={pair(1 + low, 1 + high)}, p={p})",
    "Contrast": lambda low, high, p: f"K.ColorJitter(contrast={pair(1 + low, 1 + high)}, p={p})",
}
#: Functions of images and a factor, for either of two.
_BY_FACTOR: Mapping[str, str] = {
    "Brightness": "E.adjust_brightness_accumulative",
    "Contrast": "E.adjust_contrast_with_mean_subtraction",
}
#: The function of each operator that is blended with the images.
_BLENDED: Mapping[str, str] = {"AutoContrast": "autocontrast", "Equalize": "E.equalize"}
#: Kornia's own for those at full strength.
_FULL: Mapping[str, str] = {
    "Equalize": "K.RandomEqualize",
    "Grayscale": "K.RandomGrayscale",
}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    p, kind = number(probability), "Either" if either else "Random"
    if operator in _FULL and low == high == 1:
        return f"{_FULL[operator]}(p={p})"
    if operator in _NATIVE and not either:
        return _NATIVE[operator](low, high, p)
    made: str | None
    if operator in _BY_FACTOR:
        made = drawn(kind, _BY_FACTOR[operator], {"factor": (1 + low, 1 + high)})
    elif operator in _BLENDED and low < 1:
        made = drawn(kind, f"partial(blend, {_BLENDED[operator]})", {"share": (low, high)})
    elif operator in _NATIVE:
        return None
    else:
        made = by_helper(operator, low, high, kind, kind)
    return made if made is None or probability == 1 else Call("RandomApply([", [made], f"], p={p})")


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return one_of("OneOf", items, weights)


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("nn.Sequential(", items, ")")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "nn.Identity()"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`. Kornia's MixUp draws its weights evenly, from Beta(1, 1)."""
    p, keys = number(probability), 'data_keys=["input", "class"]'
    if tuple(kinds) == ("cutmix",):
        made = f"K.RandomCutMixV2(p={p}, beta={float(number(alpha))}, {keys}, use_correct_lambda=True)"
        soft = "torch.lerp(others, own, share[:, None])"
    elif tuple(kinds) == ("mixup",) and alpha == 1:
        made, soft = f"K.RandomMixUpV2(p={p}, {keys})", "torch.lerp(own, others, share[:, None])"
    else:
        return None
    return f'''def mixing(images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Mix floating-point images and their labels ``[B]`` afterwards; returns soft labels ``[B, classes]``."""
    mix = {made}
    images, pairs = mix(images, labels)
    own, others, share = pairs.view(-1, 3).unbind(1)
    own, others = (nn.functional.one_hot(label.long(), classes).float() for label in (own, others))
    return images, {soft}'''
