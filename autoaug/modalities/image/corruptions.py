"""The fifteen common corruptions of Hendrycks and Dietterich (2019) at five severities, approximated with autoaug's
operators: the same list and order, but not the same pixels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.modalities.base import Corruption
from autoaug.modalities.corruptions import Operators, corrupt, corruption_plan

_OPERATORS: dict[str, Operators] = {
    "gaussian noise": [("GaussianNoise", (0.13, 0.2, 0.27, 0.33, 0.4))],
    "shot noise": [("PoissonNoise", (0.15, 0.25, 0.35, 0.5, 0.7))],
    "impulse noise": [("SaltAndPepper", (0.1, 0.2, 0.3, 0.57, 0.9))],
    "defocus blur": [("GaussianBlur", (0.2, 0.3, 0.4, 0.55, 0.7))],
    "glass blur": [("Elastic", (0.06, 0.1, 0.14, 0.2, 0.26)), ("GaussianBlur", (0.1, 0.15, 0.2, 0.25, 0.3))],
    "motion blur": [("MotionBlur", (0.2, 0.35, 0.5, 0.65, 0.8))],
    "zoom blur": [("Scale", (0.08, 0.13, 0.18, 0.23, 0.28))],
    "snow": [("Brightness", (0.08, 0.12, 0.16, 0.2, 0.25)), ("Rain", (0.3, 0.45, 0.6, 0.75, 0.9))],
    "frost": [("EraseNoise", (0.06, 0.1, 0.15, 0.2, 0.26)), ("Fog", (0.2, 0.25, 0.3, 0.35, 0.4))],
    "fog": [("Fog", (0.3, 0.45, 0.6, 0.75, 0.9))],
    "brightness": [("Brightness", (0.15, 0.3, 0.45, 0.6, 0.75))],
    "contrast": [("Contrast", (-0.4, -0.55, -0.7, -0.8, -0.9))],
    "elastic": [("Elastic", (0.12, 0.2, 0.28, 0.36, 0.45))],
    "pixelate": [("Pixelate", (0.25, 0.35, 0.45, 0.6, 0.8))],
    "jpeg": [("JPEG", (0.79, 0.84, 0.87, 0.92, 0.96))],
}
#: One of each group (noise, blur, weather), and three digital ones.
FEW = ("gaussian noise", "defocus blur", "fog", "contrast", "jpeg", "pixelate")
_ZOOMS = 5


def zoom_blur(images: Tensor, severity: int) -> Tensor:
    """The mean of several magnifications, up to that of the severity."""
    plan = corruption_plan(_OPERATORS["zoom blur"], "image", len(images), severity)
    zooms = [replace(plan, magnitude=plan.magnitude * i / _ZOOMS) for i in range(_ZOOMS + 1)]
    return torch.stack([apply_plan(zoom, images, check=False) for zoom in zooms]).mean(0)


CORRUPTIONS: dict[str, Corruption] = {
    **{name: partial(corrupt, operators, "image") for name, operators in _OPERATORS.items()},
    "zoom blur": zoom_blur,
}
