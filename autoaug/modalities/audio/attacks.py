"""The attacks on waveforms, whose values are in [-1, 1]."""

from __future__ import annotations

from autoaug.modalities.attacks import GradientAttack
from autoaug.modalities.audio.values import bounds

_GRADIENT = GradientAttack(bounds)
ATTACKS = {"fgsm": _GRADIENT, "pgd": _GRADIENT}
