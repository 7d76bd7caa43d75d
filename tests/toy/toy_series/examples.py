"""Example series to show operators on."""

from __future__ import annotations

import numpy as np


def examples() -> np.ndarray:
    """A sine and a square wave, float32 ``[2, 1, 60]``."""
    time = np.linspace(0, 2 * np.pi, 60, dtype=np.float32)
    return np.stack([np.sin(2 * time), np.sign(np.sin(3 * time))])[:, None].astype(np.float32)
