"""Texts as numbers for comparisons: words by their keys, and lengths."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.text.bits import has, keys_of, lengths_of
from autoaug.modalities.text.tokens import END, THERE, WORD

_BUCKETS = 256


def bag_of_words(tokens: Tensor, buckets: int = _BUCKETS) -> Tensor:
    """The share of the tokens in each bucket of words, float32 ``[n, buckets]``."""
    places = torch.where(has(tokens, THERE), keys_of(tokens) & (buckets - 1), buckets)
    counts = torch.zeros(len(tokens), buckets + 1, device=tokens.device)
    counts.scatter_add_(1, places, torch.ones_like(places, dtype=torch.float32))
    return counts[:, :buckets] / lengths_of(tokens).clamp(min=1)[:, None]


def features(tokens: Tensor) -> list[Tensor]:
    """Blocks ``[n, d]``: the words, neighboring pairs of words in their order, and the shares of signs and sentences
    with the length.
    """
    keys = keys_of(tokens)
    pairs = torch.where(has(tokens, THERE)[:, 1:], (keys[:, :-1] * 31 + keys[:, 1:]) & (_BUCKETS - 1), _BUCKETS)
    counts = torch.zeros(len(tokens), _BUCKETS + 1, device=tokens.device)
    counts.scatter_add_(1, pairs, torch.ones_like(pairs, dtype=torch.float32))
    lengths = lengths_of(tokens).clamp(min=1).float()
    shares = [has(tokens, flag).sum(1) / lengths for flag in (WORD, END)]
    return [bag_of_words(tokens), counts[:, :_BUCKETS] / lengths[:, None], torch.stack([*shares, lengths.log()], 1)]


def copy_vectors(stored: np.ndarray) -> np.ndarray:
    """The words of each text, float32 ``[n, 256]``."""
    made: np.ndarray = bag_of_words(torch.from_numpy(stored)).numpy()
    return made
