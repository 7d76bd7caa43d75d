"""Texts as numbers for comparisons: words by their keys, and lengths."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.text.bits import are_there, keys_of, lengths_of
from autoaug.modalities.text.tokens import END, WORD

_BUCKETS = 256


def bag_of_words(tokens: Tensor) -> Tensor:
    """The share of the tokens in each bucket of words, float32 ``[n, 256]``."""
    places = torch.where(are_there(tokens), keys_of(tokens) & (_BUCKETS - 1), _BUCKETS)
    return _bucket_counts(places) / lengths_of(tokens).clamp(min=1)[:, None]


def _bucket_counts(places: Tensor) -> Tensor:
    """How many of each text's ``places [n, L]`` are in each bucket, ``[n, 256]``; a place of 256 is in none."""
    counts = torch.zeros(len(places), _BUCKETS + 1, device=places.device)
    return counts.scatter_add_(1, places, torch.ones_like(places, dtype=torch.float32))[:, :_BUCKETS]


def features(tokens: Tensor) -> list[Tensor]:
    """Blocks ``[n, d]``: the words, neighboring pairs of words in their order, and the shares of signs and sentences
    with the length.
    """
    keys = keys_of(tokens)
    pairs = torch.where(are_there(tokens)[:, 1:], (keys[:, :-1] * 31 + keys[:, 1:]) & (_BUCKETS - 1), _BUCKETS)
    lengths = lengths_of(tokens).clamp(min=1).float()
    shares = [(tokens[..., 0] & flag).bool().sum(1) / lengths for flag in (WORD, END)]
    return [bag_of_words(tokens), _bucket_counts(pairs) / lengths[:, None], torch.stack([*shares, lengths.log()], 1)]


def copy_vectors(stored: np.ndarray) -> np.ndarray:
    """The words of each text, float32 ``[n, 256]``."""
    made: np.ndarray = bag_of_words(torch.from_numpy(stored)).numpy()
    return made
