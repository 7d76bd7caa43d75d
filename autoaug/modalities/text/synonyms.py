"""Operators that replace words by others that mean the same, or insert these."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from autoaug.functional.noise import random_bits
from autoaug.modalities.operators import operator
from autoaug.modalities.text.bits import as_bytes, chosen, drawn_from, has, keys_of, may_change
from autoaug.modalities.text.edits import with_inserted, words_in
from autoaug.modalities.text.lexicon import table
from autoaug.modalities.text.tokens import COMMON, MADE, SPACED, THERE, WORD

meaning = partial(
    operator, modality="text", family="meaning", kind="tokens", unit="of the words", limit=0.5, jumps=True
)


def synonyms_of(tokens: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """For each word that says something, a synonym that is drawn, ``[n, L, 3]``, and whether it has any, bool ``[n,
    L]``. It has its word's space before it and, where this is ASCII, its capital.
    """
    known = table(tokens.device)
    keys = keys_of(tokens)
    entry = torch.searchsorted(known.keys, keys).clamp(max=len(known.keys) - 1)
    there = (known.keys[entry] == keys) & may_change(tokens) & ~has(tokens, COMMON)
    pick = known.starts[entry] + random_bits(uniforms[:, 2:], tokens.shape[1]) % known.counts[entry]
    found = known.tokens[pick]
    found[..., 0] = (found[..., 0] & ~SPACED) | (tokens[..., 0] & SPACED) | MADE
    given, made = as_bytes(tokens)[..., 1], as_bytes(found)
    capital = (given >= 65) & (given <= 90) & (made[..., 1] >= 97) & (made[..., 1] <= 122)
    made[..., 1] -= capital.to(torch.uint8) * 32
    return found, there


@meaning("SynonymReplacement")
def synonym_replacement(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Replace so many words by synonyms (EDA; Wei and Zou, 2019), as far as the lexicon has them; negations stay."""
    found, there = synonyms_of(tokens, uniforms)
    return torch.where(chosen(there, share, words_in(tokens), uniforms)[..., None], found, tokens)


@meaning("SynonymInsertion")
def synonym_insertion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Insert synonyms of so many words anywhere (EDA; Wei and Zou, 2019), as far as the lexicon has them."""
    found, there = synonyms_of(tokens, uniforms)
    picked = chosen(there, share, words_in(tokens), uniforms)
    many = picked.sum(1)
    order, _ = drawn_from(there, many, uniforms)  # its first are the picked ones
    _, rank = drawn_from(has(tokens, WORD), many, uniforms[:, [2, 3, 0, 1]])
    length = tokens.shape[1]
    what = length + order.gather(1, rank.clamp(max=length - 1))
    source = with_inserted(has(tokens, THERE), rank < many[:, None], what)
    both = torch.cat([tokens, found], 1).gather(1, source.clamp(min=0)[..., None].expand(-1, -1, tokens.shape[2]))
    return torch.where(source[..., None] >= 0, both, 0)
