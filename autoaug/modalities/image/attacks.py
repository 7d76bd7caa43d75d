"""The attacks on images, whose values are in [0, 1] and stored at 256 levels."""

from __future__ import annotations

from autoaug.modalities.attacks import GradientAttack, WorstOf
from autoaug.modalities.image.values import bounds

#: At a radius of 8/255, within the 30 degrees and the tenth of the width of Engstrom et al. (2019).
REACH = {"Rotate": 5.0, "TranslateX": 3.0, "TranslateY": 3.0, "Brightness": 10.0, "Contrast": 10.0}
CHANGES = "turns, shifts and changes of light with radius {radius}"

_GRADIENT = GradientAttack(bounds, levels=255)
ATTACKS = {"fgsm": _GRADIENT, "pgd": _GRADIENT, "worst-of": WorstOf("image", REACH, CHANGES)}
