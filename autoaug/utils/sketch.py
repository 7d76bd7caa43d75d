"""Sketches of sets of samples, which tell whether another set has some of the same samples.

A sketch has the smallest digests of a set (bottom-k sketches: Broder, 1997; Cohen and Kaplan, 2007). Digests are as
good as random, so these samples are a random part of the set. A set of at most 100 samples is kept whole. If a larger
set has a twentieth of its samples in common with another, its sketch misses all of them with probability 0.95^100 =
0.6 %.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_KEPT = 100
_BYTES = 6


def sketch(digests: np.ndarray) -> str:
    """The smallest of the digests, as words of 12 hex digits each; ``V16 [n]`` as `hash_inputs` gives them."""
    return _smallest(_words(digests))


def union(first: str, second: str) -> str:
    """The sketch of the union of two sets."""
    return _smallest([*first.split(), *second.split()])


def count_shared(known: str, digests: np.ndarray) -> int:
    """The number of samples in a sketch that are among those with these digests."""
    return len({*known.split()} & {*_words(digests)})


def _words(digests: np.ndarray) -> list[str]:
    return [digest.tobytes()[:_BYTES].hex() for digest in digests]


def _smallest(words: Iterable[str]) -> str:
    return " ".join(sorted(set(words))[:_KEPT])
