"""Texts in the report: their words, with those that an operator made marked. This module does not import torch."""

from __future__ import annotations

from html import escape

import numpy as np

from autoaug.modalities.text.segmentation import parted
from autoaug.modalities.text.tokens import MADE, NUMBERS, SPACED, words_of

#: The most words that are shown.
_MOST = 60


def html(sample: np.ndarray, words: str) -> str:
    """int64 ``[L, 3]`` as text in an ``<svg>``-like box, with the words that were made in ``<mark>``."""
    if sample.ndim != 2 or sample.dtype != np.int64 or sample.shape[1] != NUMBERS:
        raise ValueError(f"a text must be int64 [L, 3], not {sample.dtype} {list(sample.shape)}")
    listed = words_of(sample)
    shown = "".join(
        " " * bool(flags & SPACED) + (f"<mark>{escape(word)}</mark>" if flags & MADE else escape(word))
        for word, flags in parted(listed[:_MOST])
    ).strip()
    more = "…" if len(listed) > _MOST else ""
    style = "max-width: 30rem; text-align: start; overflow-wrap: anywhere; margin: 0"
    return f'<p dir="auto" role="img" aria-label="{escape(words)}" style="{style}">{shown or "∅"}{more}</p>'
