"""Operators that replace words by others that mean the same or sound alike, or insert these."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from autoaug.modalities.operators import operator
from autoaug.modalities.text.bits import (
    begins_word,
    bits_at,
    chosen,
    count,
    drawn_from,
    flags_of,
    has,
    keys_of,
    may_change,
    on_host,
    placed,
)
from autoaug.modalities.text.edits import with_inserted
from autoaug.modalities.text.lexicon import SynonymTable, table
from autoaug.modalities.text.tokens import COMMON, MADE, SPACED

meaning = partial(
    operator, modality="text", family="meaning", kind="tokens", unit="of the words", limit=0.5, jumps=True
)


def entries_of(tokens: Tensor, flags: np.ndarray) -> np.ndarray:
    """For each token its entry in the lexicon, int64 ``[n, L]``; -1 if it says little, or has none."""
    return _entries(tokens, may_change(flags) & ~has(flags, COMMON), table())


def _entries(tokens: Tensor, among: np.ndarray, known: SynonymTable) -> np.ndarray:
    """For each token that is ``among [n, L]`` its entry in a table, int64 ``[n, L]``; -1 if it has none."""
    places = np.flatnonzero(among)
    words = tokens.reshape(-1, tokens.shape[2]).index_select(0, placed(places, tokens))
    entries = np.full(among.shape, -1)
    entries.reshape(-1)[places] = known.find(on_host(keys_of(words)))
    return entries


def with_others(
    tokens: Tensor, replaced: np.ndarray, known: SynonymTable, entries: np.ndarray, uniforms: np.ndarray
) -> Tensor:
    """The tokens with others of a table that are drawn where ``replaced [n, L]`` is true."""
    places = np.flatnonzero(replaced)
    entry, bits = entries.ravel()[places], bits_at(uniforms[:, 2:], tokens.shape[1], places)
    return with_words(tokens, places, known.tokens[known.starts[entry] + bits % known.counts[entry]])


def with_words(tokens: Tensor, places: np.ndarray, words: np.ndarray) -> Tensor:
    """The tokens with other ``words [m, 3]``, which are new memory, at ``places [m]`` of all tokens. Each has its
    word's space before it and, where this is ASCII, its capital.
    """
    flat, where = tokens.reshape(-1, tokens.shape[2]), placed(places, tokens)
    given = on_host(flat.index_select(0, where))
    words[:, 0] = (words[:, 0] & ~SPACED) | (given[:, 0] & SPACED) | MADE
    first, made = given.view(np.uint8)[:, 1], words.view(np.uint8)[:, 1]
    made -= ((first >= 65) & (first <= 90) & (made >= 97) & (made <= 122)) * np.uint8(32)
    return flat.index_copy(0, where, placed(words, tokens)).view_as(tokens)


@meaning("SynonymReplacement")
def synonym_replacement(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Replace so many words by synonyms (EDA; Wei and Zou, 2019), as far as the lexicon has them; negations stay."""
    flags, drawn = flags_of(tokens), on_host(uniforms)
    entries = entries_of(tokens, flags)
    replaced = chosen(entries >= 0, on_host(share), begins_word(flags).sum(1), drawn)
    return with_others(tokens, replaced, table(), entries, drawn)


@meaning("SynonymInsertion")
def synonym_insertion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Insert synonyms of so many words anywhere (EDA; Wei and Zou, 2019), as far as the lexicon has them."""
    flags, drawn, length = flags_of(tokens), on_host(uniforms), tokens.shape[1]
    entries, words = entries_of(tokens, flags), begins_word(flags)
    there = entries >= 0
    many = np.minimum(count(on_host(share), words.sum(1)), there.sum(1))[:, None]
    order, slots = drawn_from(there, drawn), drawn_from(words, drawn[:, [2, 3, 0, 1]])
    own, rank = order.argsort(1), slots.argsort(1)
    found = with_others(tokens, own < many, table(), entries, drawn)
    source = with_inserted(flags, rank < many, length + 1 + np.take_along_axis(order, rank, 1))
    both = torch.cat([tokens, torch.zeros_like(tokens[:, :1]), found], 1)
    return both.gather(1, placed(source, tokens)[..., None].expand(-1, -1, tokens.shape[2]))


@meaning("Homophone", family="letters")
def homophone(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Replace so many words by others that sound alike, in English and Chinese; negations stay."""
    known, flags, drawn = table(homophones=True), flags_of(tokens), on_host(uniforms)
    entries = _entries(tokens, may_change(flags), known)
    replaced = chosen(entries >= 0, on_host(share), begins_word(flags).sum(1), drawn)
    return with_others(tokens, replaced, known, entries, drawn)
