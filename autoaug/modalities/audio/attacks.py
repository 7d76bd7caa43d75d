"""The attacks on waveforms, whose values are in [-1, 1]."""

from __future__ import annotations

from autoaug.modalities.attacks import GradientAttack, WorstOf
from autoaug.modalities.audio.values import bounds

#: Nothing is cut off, so that what is said stays whole.
_REACH = {"Gain": 10.0, "Tilt": 10.0, "Equalizer": 10.0, "WhiteNoise": 3.0}

_GRADIENT = GradientAttack(bounds)
ATTACKS = {
    "fgsm": _GRADIENT,
    "pgd": _GRADIENT,
    "worst-of": WorstOf("audio", _REACH, "changes of level, timbre and noise with radius {radius}"),
}
