"""A set of samples remembered by its smallest digests, so that it is known of other samples whether they were in it.

Digests are as good as random, so the smallest are a random part of the set, and the same part in whichever set they lie
(bottom-k sketches: Broder, 1997; Cohen and Kaplan, 2007). A set of at most 100 samples is remembered whole; of a larger
one, a twentieth of which lies in another set, the sketch shows none of that with a chance of 0.95^100 = 0.6 %.
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
    """The sketch of what either is of."""
    return _smallest([*first.split(), *second.split()])


def count_shared(known: str, digests: np.ndarray) -> int:
    """How many of the samples that a sketch remembers are among those with these digests."""
    return len({*known.split()} & {*_words(digests)})


def _words(digests: np.ndarray) -> list[str]:
    return [digest.tobytes()[:_BYTES].hex() for digest in digests]


def _smallest(words: Iterable[str]) -> str:
    return " ".join(sorted(set(words))[:_KEPT])
