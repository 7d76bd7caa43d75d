"""Fifteen corruptions of sound at five severities, as policies of autoaug's operators: noise, rooms, recorders,
transmission and the speaker. They play the part that those of Hendrycks and Dietterich (2019) have for images.
"""

from __future__ import annotations

from functools import partial

from autoaug.modalities.corruptions import Operators, corrupt

_OPERATORS: dict[str, Operators] = {
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
CORRUPTIONS = {name: partial(corrupt, operators, "audio") for name, operators in _OPERATORS.items()}
