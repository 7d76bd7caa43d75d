"""Example sounds to show operators on."""

from __future__ import annotations

import numpy as np

_RATE = 16000


def examples() -> np.ndarray:
    """A voice-like glide with two formants, and three plucked tones; int16 ``[2, 1, 12800]``, 0.8 s."""
    time = np.arange(int(0.8 * _RATE)) / _RATE
    phase = 2 * np.pi * np.cumsum(140 + 60 * np.sin(4 * time)) / _RATE
    voice = sum(
        np.sin(k * phase) * sum(np.exp(-(((k * 160 - formant) / 250) ** 2)) for formant in (700, 1900))
        for k in range(1, 24)
    )
    voice = voice * np.sin(np.pi * np.clip(time / 0.75, 0, 1)) ** 0.5
    plucks = np.zeros_like(time)
    for start, pitch in ((0.0, 440.0), (0.25, 554.4), (0.5, 659.3)):
        since = np.clip(time - start, 0, None)
        plucks += (
            (time >= start) * np.exp(-6 * since) * sum(np.sin(2 * np.pi * k * pitch * since) / k for k in (1, 2, 3))
        )
    pair = np.stack([voice, plucks])
    scaled = pair / np.abs(pair).max(1, keepdims=True) * 0.6
    rounded: np.ndarray = np.round(scaled * 32767).astype(np.int16)[:, None]
    return rounded
