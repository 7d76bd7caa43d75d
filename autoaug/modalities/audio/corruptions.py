"""Fifteen corruptions of sound at five severities, as policies of autoaug's operators: noise, rooms, recorders,
transmission and the speaker. They play the part that those of Hendrycks and Dietterich (2019) have for images.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.models import Operation, Policy, in_turn

#: The operators of each corruption, with their magnitudes at the five severities; a negative number means the negative
#: sign.
_OPERATORS: dict[str, Sequence[tuple[str, tuple[float, ...]]]] = {
    "white noise": [("WhiteNoise", (0.1, 0.18, 0.32, 0.56, 1.0))],  # 20, 15, 10, 5 and 0 dB
    "pink noise": [("PinkNoise", (0.1, 0.18, 0.32, 0.56, 1.0))],
    "reverberation": [("Reverberation", (0.15, 0.3, 0.5, 0.75, 1.0))],
    "far away": [
        ("Reverberation", (0.1, 0.2, 0.35, 0.5, 0.7)),
        ("LowPass", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("Gain", (-0.3, -0.5, -0.7, -0.85, -1.0)),
        ("PinkNoise", (0.05, 0.1, 0.15, 0.2, 0.3)),
    ],
    "quiet": [("Gain", (-0.3, -0.5, -0.7, -0.85, -1.0)), ("Quantization", (0.3, 0.4, 0.5, 0.55, 0.6))],
    "clipping": [("Clipping", (0.5, 0.7, 0.8, 0.9, 1.0))],
    "few bits": [("Quantization", (0.55, 0.65, 0.75, 0.85, 0.95))],
    "coarse codec": [("MuLaw", (0.2, 0.4, 0.6, 0.8, 1.0))],
    "muffled": [("LowPass", (0.3, 0.45, 0.6, 0.75, 0.9))],
    "thin": [("HighPass", (0.2, 0.35, 0.5, 0.7, 0.9))],
    "telephone": [("BandPass", (0.3, 0.45, 0.6, 0.7, 0.8)), ("MuLaw", (0.1, 0.2, 0.3, 0.4, 0.5))],
    "dark": [("Tilt", (-0.3, -0.45, -0.6, -0.8, -1.0))],
    "slow": [("Speed", (-0.15, -0.3, -0.45, -0.65, -0.9))],
    "fast": [("Speed", (0.15, 0.3, 0.45, 0.65, 0.9))],
    "dropouts": [("TimeMask", (0.1, 0.15, 0.2, 0.3, 0.4)), ("TimeMask", (0.1, 0.15, 0.2, 0.3, 0.4))],
}
#: One of each group.
FEW = ("white noise", "reverberation", "clipping", "telephone", "fast", "dropouts")


def corruption(name: str, severity: int) -> Policy:
    """The corruption as a policy, at a severity from 1 to 5."""
    operations = []
    for operator, magnitudes in _OPERATORS[name]:
        value = magnitudes[severity - 1]
        size = (abs(value), abs(value))
        operations.append(Operation(operator=operator, magnitude=size, sign="negative" if value < 0 else "positive"))
    return Policy(name=f"{name} {severity}", layers=in_turn(*operations))


def corrupt(name: str, waves: Tensor, severity: int) -> Tensor:
    """Corrupt ``waves [n, C, T]`` in [-1, 1], with the same noise each time."""
    plan = draw_plan(corruption(name, severity), len(waves), torch.Generator().manual_seed(0), "audio")
    return apply_plan(plan, waves, check=False)


CORRUPTIONS = {name: partial(corrupt, name) for name in _OPERATORS}
