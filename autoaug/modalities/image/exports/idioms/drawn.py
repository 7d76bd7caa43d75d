"""Expressions with values that are drawn, by helper classes and functions of the same names in each library."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autoaug.modalities.expressions import pair

Ends = Mapping[str, tuple[float, float]]

#: The function of each operator that changes pixels, and the ends of its arguments for the lowest and highest value.
_VALUES: Mapping[str, tuple[str, Callable[[float, float], Ends]]] = {
    "Invert": ("invert", lambda low, high: {}),
    "Brightness": ("brightness", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Contrast": ("contrast", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Saturation": ("saturation", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Grayscale": ("saturation", lambda low, high: {"factor": (1 - high, 1 - low)}),
    "Hue": ("hue", lambda low, high: {"turns": (low, high)}),
    "Sharpness": ("sharpness", lambda low, high: {"factor": (1 + low, 1 + high)}),
    "Posterize": ("posterize", lambda low, high: {"bits": (8 - high, 8 - low)}),
    "Solarize": ("solarize", lambda low, high: {"threshold": (1 - high, 1 - low)}),
    "AutoContrast": ("autocontrast", lambda low, high: {"share": (low, high)} if low < 1 else {}),
    "Equalize": ("equalize", lambda low, high: {"share": (low, high)} if low < 1 else {}),
    "Gamma": ("gamma", lambda low, high: {"octaves": (low, high)}),
    "GaussianBlur": ("blur", lambda low, high: {"fraction": (low, high)}),
    "GaussianNoise": ("noise", lambda low, high: {"sigma": (low, high)}),
    "Cutout": ("cutout", lambda low, high: {"side": (low, high), "x": (0, 1), "y": (0, 1)}),
}
#: The same for those that move pixels.
_WARPS: Mapping[str, tuple[str, Callable[[float, float], Ends]]] = {
    "HorizontalFlip": ("horizontal_flip", lambda low, high: {}),
    "VerticalFlip": ("vertical_flip", lambda low, high: {}),
    "Rotate": ("rotate", lambda low, high: {"degrees": (low, high)}),
    "ShearX": ("affine", lambda low, high: {"shear_x": (low, high)}),
    "ShearY": ("affine", lambda low, high: {"shear_y": (low, high)}),
    "TranslateX": ("affine", lambda low, high: {"x": (low, high)}),
    "TranslateY": ("affine", lambda low, high: {"y": (low, high)}),
    "Scale": ("zoom", lambda low, high: {"octaves": (low, high)}),
    "PadCrop": ("pad_crop", lambda low, high: {"padding": (low, high), "x": (0, 1), "y": (0, 1)}),
    "RandomResizedCrop": (
        "resized_crop",
        lambda low, high: {"share": (low, high), "area": (0, 1), "aspect": (-1, 1), "x": (0, 1), "y": (0, 1)},
    ),
    "QuarterTurn": ("quarter_turn", lambda low, high: {"case": (0, 3)}),
    "Transpose": ("transpose", lambda low, high: {}),
}


def drawn(kind: str, function: str, p: str, ends: Ends) -> str:
    """The object of a helper class that applies a function, with the probability `p` and arguments that are drawn."""
    given = [function, *([f"p={p}"] if p != "1" else []), *(f"{name}={pair(*own)}" for name, own in ends.items())]
    return f"{kind}({', '.join(given)})"


def by_helper(operator: str, low: float, high: float, p: str, value: str, warp: str) -> str | None:
    """The object of the helper class, `value` or `warp`, that applies the operator's function; None if it has none."""
    for kind, functions in ((value, _VALUES), (warp, _WARPS)):
        if operator in functions:
            function, ends = functions[operator]
            return drawn(kind, function, p, ends(low, high))
    return None
