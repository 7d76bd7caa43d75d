"""The attacks on images, whose values are in [0, 1] and stored at 256 levels."""

from __future__ import annotations

from autoaug.modalities.attacks import GradientAttack
from autoaug.modalities.image.values import bounds

_GRADIENT = GradientAttack(bounds, levels=255)
ATTACKS = {"fgsm": _GRADIENT, "pgd": _GRADIENT}
