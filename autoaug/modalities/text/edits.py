"""Operators that delete, move and insert whole words: for each place ``[n, L]``, where its token comes from. They know
of the texts the flags of their tokens, uint8 ``[n, L]``, and decide on the host; see `autoaug.modalities.text.bits`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.operators import operator
from autoaug.modalities.text.bits import (
    begins_word,
    chosen,
    count,
    drawn_from,
    flags_of,
    has,
    may_change,
    on_host,
    placed,
    random_bits,
)
from autoaug.modalities.text.tokens import END, MADE, PART, PROTECTED, ROOM, SPACED, THERE, WIDTH, WORD, as_rows

#: The signs that AEDA inserts.
SIGNS = ".;?:!,"
#: The places ``[n, L]``, given the flags ``[n, L]``, a share ``[n]`` and uniforms ``[n, 4]``.
_Edit = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def edit(
    name: str, unit: str, *, family: str = "words", modality: str = "text", limit: float = 1.0
) -> Callable[[_Edit], _Edit]:
    """Register an edit as an operator with that name; see `operator`."""

    def register(function: _Edit) -> _Edit:
        @operator(name, unit=unit, family=family, modality=modality, limit=limit, kind="edits", jumps=True)
        @wraps(function)
        def on_tokens(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
            return placed(function(flags_of(tokens), on_host(share), on_host(uniforms)), tokens)

        return function

    return register


@cache
def _made() -> Tensor:
    """Padding, and the tokens of the signs, ``[13, 3]``: each without a space before it and with one."""
    made = [
        bytes([THERE | MADE | spaced | (END if sign in ".?!" else 0)]) + sign.encode().ljust(ROOM, b"\0")
        for sign in SIGNS
        for spaced in (0, SPACED)
    ]
    return torch.from_numpy(as_rows([[bytes(WIDTH), *made]], 1 + len(made))[0])


def edited(tokens: Tensor, source: Tensor) -> Tensor:
    """The tokens ``[n, L, 3]`` at the places ``source [n, L]``. At L there is none; above, it is one of `SIGNS`: L + 1
    is the first without a space before it, L + 2 with one, and so on.
    """
    n, _, numbers = tokens.shape
    known = torch.cat([tokens, _made().to(tokens.device).expand(n, -1, -1)], 1)
    first = torch.arange(0, n * known.shape[1], known.shape[1], device=tokens.device)[:, None]
    return known.view(-1, numbers).index_select(0, (first + source).flatten()).view_as(tokens)


def only(kept: np.ndarray) -> np.ndarray:
    """The places that are ``kept [n, L]``, moved together."""
    length = kept.shape[1]
    places = np.arange(length, dtype=np.int32) | ~kept * np.int32(2**16)
    places.sort(1)
    together: np.ndarray = np.minimum(places, length)
    return together


def none_outside(source: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The places ``source [n, L]``, and none where nothing is ``there [n, L]``."""
    made: np.ndarray = np.maximum(source, ~there * source.dtype.type(source.shape[1]))
    return made


def with_inserted(flags: np.ndarray, before: np.ndarray, what: np.ndarray) -> np.ndarray:
    """The places of the tokens with these ``flags [n, L]``, with ``what [n, L]`` inserted before those that are
    ``before [n, L]``. What no longer fits is cut off, but no word that must stay: the last of what would push it off is
    not inserted.
    """
    there, stays = has(flags, THERE), has(flags, PROTECTED)
    n, length = there.shape
    place = np.arange(length)
    last = np.where(stays, place, -1).max(1, keepdims=True)
    before = before & ((place > last) | (before.cumsum(1) < length - last))
    shift = before.cumsum(1)
    source = np.full((n, 2 * length + 1), length)
    np.put_along_axis(source, np.where(there, place + shift, 2 * length), np.broadcast_to(place, (n, length)), 1)
    np.put_along_axis(source, np.where(before, place + shift - 1, 2 * length), what, 1)
    return source[:, :length]


@edit("WordDeletion", unit="of the words", limit=0.5)
def word_deletion(flags: np.ndarray, share: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Delete each word with this probability (EDA; Wei and Zou, 2019), but not all; negations stay."""
    allowed, bits = may_change(flags), random_bits(uniforms, flags.shape[1])
    limit = np.minimum(share.astype(np.float64) * 2**32, (bits * allowed).max(1))
    return only(has(flags, THERE) & ~(allowed & (bits < limit[:, None])))


@edit("WordSwap", unit="of the words", limit=0.5)
def word_swap(flags: np.ndarray, share: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Swap so many pairs of words (EDA; Wei and Zou, 2019), each word once; negations stay."""
    allowed = may_change(flags)
    pairs = np.minimum(count(share, begins_word(flags).sum(1)), allowed.sum(1) // 2)[:, None]
    rank = np.arange(2 * pairs.max())
    order = drawn_from(allowed, uniforms)[:, : len(rank)]
    other = np.where(rank < pairs, rank + pairs, np.where(rank < 2 * pairs, rank - pairs, rank))
    source = np.tile(np.arange(flags.shape[1], dtype=np.int32), (len(flags), 1))
    np.put_along_axis(source, order, np.take_along_axis(order, other, 1), 1)
    return none_outside(source, has(flags, THERE))


@edit("SpanCutout", unit="of the text", limit=0.5)
def span_cutout(flags: np.ndarray, share: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Delete a stretch of the text, as Cutout does in images (Shen et al., 2020); negations in it stay.

    A long word is deleted as a whole, if it begins there; a text of which nothing would be left stays.
    """
    there = has(flags, THERE)
    lengths = there.sum(1)
    width = np.minimum(count(share, lengths), np.maximum(lengths - 1, 0))
    begin = (uniforms[:, 2].astype(np.float64) * (lengths - width + 1)).astype(np.int64)[:, None]
    first = np.maximum.accumulate(~has(flags, PART) * np.arange(flags.shape[1]), 1)
    inside = (first >= begin) & (first < begin + width[:, None])
    kept = there & ~(inside & ~has(flags, PROTECTED))
    return only(kept | (there & ~kept.any(1, keepdims=True)))


@edit("SentenceShuffle", unit="of the way to any order")
def sentence_shuffle(flags: np.ndarray, share: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Move sentences past each other: at 1 to any order, below that less far."""
    there, ends = has(flags, THERE), has(flags, END)
    ends[:, :-1] &= ~ends[:, 1:]
    sentence = np.minimum(ends.cumsum(1) - ends, flags.shape[1] - 1)
    many = (sentence * there).max(1) + 1
    moved = random_bits(uniforms, flags.shape[1]) / 2**32 * (share.astype(np.float64) * many)[:, None]
    key = np.where(there, sentence + np.take_along_axis(moved, sentence, 1), np.inf)
    return none_outside(key.argsort(1, kind="stable"), there)


@edit("PunctuationInsertion", family="signs", unit="of the words", limit=1 / 3)
def punctuation_insertion(flags: np.ndarray, share: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Insert punctuation before so many words (AEDA; Karimi et al., 2021)."""
    words, length = begins_word(flags), flags.shape[1]
    sign = (random_bits(uniforms[:, 2:], length) % len(SIGNS)).astype(np.int64)
    what = length + 1 + 2 * sign + has(flags, SPACED)
    return with_inserted(flags, chosen(words, share, words.sum(1), uniforms), what)


@edit("PunctuationDeletion", family="signs", unit="of the signs")
def punctuation_deletion(flags: np.ndarray, share: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Delete each sign that is no word with this probability; a text of signs alone keeps one."""
    there, words, bits = has(flags, THERE), has(flags, WORD | PROTECTED), random_bits(uniforms, flags.shape[1])
    signs = there & ~words
    spared = (bits == (bits * signs).max(1, keepdims=True)) & ~words.any(1, keepdims=True)
    return only(there & ~(signs & (bits < share.astype(np.float64)[:, None] * 2**32) & ~spared))
