"""Policies in the words of ``torchvision.transforms.v2``; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autoaug.modalities.expressions import number, one_of, pair
from autoaug.modalities.runtime import Call, Expression

use = "image = Augment()(image), one at a time; torch.manual_seed seeds it"
imports: Sequence[str] = (
    "from contextlib import nullcontext",
    "from typing import Any",
    "import torch",
    "from PIL import Image",
    "from torch.utils._pytree import tree_leaves",
    "from torchvision import tv_tensors",
    "from torchvision.transforms import v2",
    "from torchvision.transforms.v2 import functional as F",
)
helpers: Sequence[Path] = (Path(__file__).parent / "torchvision_helpers.py",)
shell = Path(__file__).parent / "torchvision.txt"
published: Mapping[str, str] = {
    "trivialaugment-wide": "TrivialAugmentWide(num_magnitude_bins=256, interpolation=BILINEAR)",
    "randaugment": "v2.RandAugment(num_ops={n}, magnitude={m}, interpolation=BILINEAR)",
    "autoaugment-imagenet": "v2.AutoAugment(v2.AutoAugmentPolicy.IMAGENET, interpolation=BILINEAR)",
    "autoaugment-cifar10": "v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10, interpolation=BILINEAR)",
    "autoaugment-svhn": "v2.AutoAugment(v2.AutoAugmentPolicy.SVHN, interpolation=BILINEAR)",
}

published_note = (
    "torchvision's own automatic policies raise an error for boxes, masks and keypoints; --exact moves them."
)


def _drawn(function: str, moves: bool = False, **ends: tuple[float, float]) -> str:
    """A function whose arguments are drawn."""
    given = [function, *(["moves=True"] if moves else []), *(f"{name}={pair(*own)}" for name, own in ends.items())]
    return f"RandomValue({', '.join(given)})"


#: The expression for each operator that is always applied, for the lowest and the highest value.
_WORDS: Mapping[str, Callable[[float, float], str]] = {
    "Brightness": lambda low, high: _drawn("F.adjust_brightness", brightness_factor=(1 + low, 1 + high)),
    "Contrast": lambda low, high: _drawn("F.adjust_contrast", contrast_factor=(1 + low, 1 + high)),
    "Saturation": lambda low, high: _drawn("F.adjust_saturation", saturation_factor=(1 + low, 1 + high)),
    "Grayscale": lambda low, high: _drawn("F.adjust_saturation", saturation_factor=(1 - high, 1 - low)),
    "Hue": lambda low, high: f"v2.ColorJitter(hue={pair(low, high)})",
    "Sharpness": lambda low, high: _drawn("F.adjust_sharpness", sharpness_factor=(1 + low, 1 + high)),
    "Posterize": lambda low, high: _drawn("posterize", bits=(8 - high, 8 - low)),
    "Solarize": lambda low, high: _drawn("solarize", threshold=(1 - high, 1 - low)),
    "AutoContrast": lambda low, high: _drawn("autocontrast", share=(low, high)),
    "Equalize": lambda low, high: _drawn("equalize", share=(low, high)),
    "Gamma": lambda low, high: _drawn("gamma", octaves=(low, high)),
    "GaussianBlur": lambda low, high: _drawn("blur", fraction=(low, high)),
    "GaussianNoise": lambda low, high: _drawn("noise", sigma=(low, high)),
    "Rotate": lambda low, high: f"v2.RandomRotation({pair(low, high)}, BILINEAR, fill=None)",
    "ShearX": lambda low, high: _drawn("affine", True, shear_x=(low, high)),
    "ShearY": lambda low, high: _drawn("affine", True, shear_y=(low, high)),
    "TranslateX": lambda low, high: _drawn("affine", True, x=(low, high)),
    "TranslateY": lambda low, high: _drawn("affine", True, y=(low, high)),
    "Scale": lambda low, high: _drawn("zoom", True, octaves=(low, high)),
    "PadCrop": lambda low, high: _drawn("pad_crop", True, padding=(low, high), x=(0, 1), y=(0, 1)),
    "RandomResizedCrop": lambda low, high: _drawn(
        "resized_crop", True, share=(low, high), area=(0, 1), aspect=(-1, 1), x=(0, 1), y=(0, 1)
    ),
    "QuarterTurn": lambda low, high: _drawn("quarter_turn", True, case=(0, 3)),
    "Transpose": lambda low, high: _drawn("transpose", True, on=(1, 1)),
    "Cutout": lambda low, high: _drawn("cutout", side=(low, high), x=(0, 1), y=(0, 1)),
}
#: The same for those of the library that take a probability, at one value.
_WITH_PROBABILITY: Mapping[str, tuple[float | None, Callable[[float, str], str]]] = {
    "HorizontalFlip": (None, lambda value, p: f"v2.RandomHorizontalFlip(p={p})"),
    "VerticalFlip": (None, lambda value, p: f"v2.RandomVerticalFlip(p={p})"),
    "Invert": (None, lambda value, p: f"v2.RandomInvert(p={p})"),
    "AutoContrast": (1.0, lambda value, p: f"v2.RandomAutocontrast(p={p})"),
    "Equalize": (1.0, lambda value, p: f"v2.RandomEqualize(p={p})"),
    "Grayscale": (1.0, lambda value, p: f"v2.RandomGrayscale(p={p})"),
    "Sharpness": (None, lambda value, p: f"v2.RandomAdjustSharpness({number(1 + value)}, p={p})"),
    "Posterize": (None, lambda value, p: f"v2.RandomPosterize({8 - int(value + 0.5)}, p={p})"),
}


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    value, native = _WITH_PROBABILITY.get(operator, (None, None))
    if either:
        return None
    if native and low == high and value in (None, low):
        return native(low, number(probability))
    if operator == "ChannelShuffle" and low == high == 1:
        text = "v2.RandomChannelPermutation()"
    elif operator in _WORDS:
        text = _WORDS[operator](low, high)
    else:
        return None
    return text if probability == 1 else Call("v2.RandomApply([", [text], f"], p={number(probability)})")


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return one_of("RandomChoice", items, weights)


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("v2.Compose([", items, "])")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "v2.Identity()"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`."""
    own = {"mixup": "v2.MixUp", "cutmix": "v2.CutMix"}
    if not set(kinds) <= own.keys():
        return None
    strength = float(number(alpha))  # whole numbers raise an error when a weight is drawn
    made = [f"{own[kind]}(alpha={strength}, num_classes=classes)" for kind in dict.fromkeys(kinds)]
    mixed = made[0] if len(made) == 1 else f"v2.RandomChoice([{', '.join(made)}])"
    words = "Mixes batches afterwards, ``images, labels = mixing(10)(images, labels)``; one weight is drawn per batch."
    if probability < 1:
        mixed = f"v2.RandomApply([{mixed}], p={number(probability)})"
        words += "\n\n    Labels of a batch that is not mixed stay class indices.\n    "
    return f'''def mixing(classes: int) -> v2.Transform:
    """{words}"""
    return {mixed}'''
