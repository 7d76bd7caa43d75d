"""Operators that replace words by others that mean the same or sound alike, or insert these."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.functional.noise import random_bits
from autoaug.modalities.operators import operator
from autoaug.modalities.text.bits import (
    as_bytes,
    begins_word,
    chosen,
    count,
    drawn_from,
    has,
    keys_of,
    may_change,
    places_of,
)
from autoaug.modalities.text.edits import with_inserted, words_in
from autoaug.modalities.text.lexicon import SynonymTable, table
from autoaug.modalities.text.tokens import COMMON, MADE, SPACED

meaning = partial(
    operator, modality="text", family="meaning", kind="tokens", unit="of the words", limit=0.5, jumps=True
)


def entries_of(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """For each token its entry in the lexicon, and whether it is a word that says something and has one, ``[n, L]``
    each.
    """
    return _found(tokens, may_change(tokens) & ~has(tokens, COMMON), table(tokens.device))


def _found(tokens: Tensor, among: Tensor, known: SynonymTable) -> tuple[Tensor, Tensor]:
    """For each token that is ``among [n, L]`` its entry in a table, and whether it has one, ``[n, L]`` each."""
    places = places_of(among)
    entry, there = known.find(keys_of(tokens.reshape(-1, tokens.shape[2]).index_select(0, places)))
    entries = torch.zeros(among.numel(), dtype=torch.int64, device=tokens.device).index_copy_(0, places, entry)
    found = torch.zeros(among.numel(), dtype=torch.bool, device=tokens.device).index_copy_(0, places, there)
    return entries.view_as(among), found.view_as(among)


def with_others(tokens: Tensor, replaced: Tensor, known: SynonymTable, entry: Tensor, uniforms: Tensor) -> Tensor:
    """The tokens with others of a table that are drawn where ``replaced [n, L]`` is true."""
    places = places_of(replaced)
    entry = entry.flatten().index_select(0, places)
    bits = random_bits(uniforms[:, 2:], tokens.shape[1]).flatten().index_select(0, places)
    other = known.starts.index_select(0, entry) + bits % known.counts.index_select(0, entry)
    return with_words(tokens, places, known.tokens.index_select(0, other))


def with_words(tokens: Tensor, places: Tensor, found: Tensor) -> Tensor:
    """The tokens with the words ``found [m, 3]``, which are new memory, at ``places [m]`` of all tokens. Each has its
    word's space before it and, where this is ASCII, its capital.
    """
    flat = tokens.reshape(-1, tokens.shape[2])
    words = flat.index_select(0, places)
    found[:, 0] = (found[:, 0] & ~SPACED) | (words[:, 0] & SPACED) | MADE
    given, made = as_bytes(words)[:, 1], as_bytes(found)
    capital = (given >= 65) & (given <= 90) & (made[:, 1] >= 97) & (made[:, 1] <= 122)
    made[:, 1] -= capital.to(torch.uint8) * 32
    return flat.index_copy(0, places, found).view_as(tokens)


@meaning("SynonymReplacement")
def synonym_replacement(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Replace so many words by synonyms (EDA; Wei and Zou, 2019), as far as the lexicon has them; negations stay."""
    entry, there = entries_of(tokens)
    replaced = chosen(there, share, words_in(tokens), uniforms)
    return with_others(tokens, replaced, table(tokens.device), entry, uniforms)


@meaning("SynonymInsertion")
def synonym_insertion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Insert synonyms of so many words anywhere (EDA; Wei and Zou, 2019), as far as the lexicon has them."""
    entry, there = entries_of(tokens)
    many = torch.minimum(count(share, words_in(tokens)), there.sum(1))
    order, own = drawn_from(there, uniforms)
    _, rank = drawn_from(begins_word(tokens), uniforms[:, [2, 3, 0, 1]])
    found = with_others(tokens, own < many[:, None], table(tokens.device), entry, uniforms)
    length = tokens.shape[1]
    what = length + order.gather(1, rank.clamp(max=length - 1))
    source = with_inserted(tokens, rank < many[:, None], what)
    both = torch.cat([tokens, found], 1).gather(1, source.clamp(min=0)[..., None].expand(-1, -1, tokens.shape[2]))
    return torch.where(source[..., None] >= 0, both, 0)


@meaning("Homophone", family="letters")
def homophone(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Replace so many words by others that sound alike, in English and Chinese; negations stay."""
    known = table(tokens.device, homophones=True)
    entry, found = _found(tokens, may_change(tokens), known)
    return with_others(tokens, chosen(found, share, words_in(tokens), uniforms), known, entry, uniforms)
