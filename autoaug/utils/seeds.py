"""Seeds for every purpose from the one that the user gives."""

from __future__ import annotations

import zlib

import numpy as np


def derive_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A seed in [0, 2**31) that differs, as random numbers do, for every (seed, purpose, index)."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), index])
    return int(sequence.generate_state(1)[0] >> 1)
