"""Derive seeds for every purpose from the user's seed."""

from __future__ import annotations

import zlib

import numpy as np


def derive_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A pseudorandom seed in [0, 2**31), determined by (seed, purpose, index)."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), index])
    return int(sequence.generate_state(1)[0] >> 1)
