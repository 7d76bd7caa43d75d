"""Pairs as numbers for comparisons: those of both texts."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from autoaug.modalities.text import MODALITY as TEXT
from autoaug.modalities.translation.pairs import SOURCE, TARGET


def features(values: Tensor) -> list[Tensor]:
    """Blocks ``[n, d]``."""
    return [block for row in (SOURCE, TARGET) for block in TEXT.features(values[:, row].contiguous())]


def copy_vectors(stored: np.ndarray) -> np.ndarray:
    """The words of both texts, float32 ``[n, 512]``."""
    both = [TEXT.copy_vectors(np.ascontiguousarray(stored[:, row])) for row in (SOURCE, TARGET)]
    return np.concatenate(both, 1)
