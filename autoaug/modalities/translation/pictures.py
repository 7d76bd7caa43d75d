"""Pairs in the report: both texts, with the words that an operator made marked. This module does not import torch."""

from __future__ import annotations

import numpy as np

from autoaug.modalities.text.pictures import html as html_of_text
from autoaug.modalities.text.tokens import NUMBERS
from autoaug.modalities.translation.pairs import ROWS, SOURCE, TARGET


def html(sample: np.ndarray, words: str) -> str:
    """int64 ``[4, L, 3]`` as the source above the target."""
    if sample.ndim != 3 or sample.dtype != np.int64 or sample.shape[0] != ROWS or sample.shape[2] != NUMBERS:
        raise ValueError(f"a pair must be int64 [4, L, 3], not {sample.dtype} {list(sample.shape)}")
    both = (html_of_text(sample[row], words) for row in (SOURCE, TARGET))
    return f"<div>{'→'.join(both)}</div>"
