"""Operators that delete, move and insert whole words: for each place ``[n, L]``, where its token comes from."""

from __future__ import annotations

from functools import cache, partial

import torch
from torch import Tensor

from autoaug.functional.noise import random_bits
from autoaug.modalities.operators import operator
from autoaug.modalities.text.bits import begins_word, chosen, count, drawn_from, has, lengths_of, may_change
from autoaug.modalities.text.tokens import END, MADE, PART, PROTECTED, ROOM, SPACED, THERE, WIDTH, WORD, as_rows

edit = partial(operator, modality="text", family="words", kind="edits", jumps=True)
#: The signs that AEDA inserts.
SIGNS = ".;?:!,"


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
    """The tokens ``[n, L, 3]`` at the places ``source [n, L]``. Where these are -1 there is none; below, it is one of
    `SIGNS`: -2 is the first without a space before it, -3 with one, and so on.
    """
    n, length, numbers = tokens.shape
    known = torch.cat([tokens.reshape(-1, numbers), _made().to(tokens.device)])
    first = torch.arange(0, n * length, length, device=tokens.device)[:, None]
    rows = torch.where(source >= 0, first + source, n * length - 1 - source)
    return known.index_select(0, rows.flatten()).view(n, -1, numbers)


def only(kept: Tensor) -> Tensor:
    """The places that are ``kept [n, L]``, moved together."""
    n, length = kept.shape
    place = torch.arange(length, device=kept.device).expand(n, length)
    target = torch.where(kept, kept.cumsum(1) - 1, length)
    source = torch.full((n, length + 1), -1, device=kept.device)
    return source.scatter_(1, target, place)[:, :length]


def with_inserted(tokens: Tensor, before: Tensor, what: Tensor) -> Tensor:
    """The places of the tokens ``[n, L, 3]``, with ``what [n, L]`` inserted before those that are ``before [n, L]``.
    What no longer fits is cut off, but no word that must stay: the last of what would push it off is not inserted.
    """
    there, stays = has(tokens, THERE), has(tokens, PROTECTED)
    n, length = there.shape
    place = torch.arange(length, device=there.device).expand(n, length)
    last = torch.where(stays, place, -1).amax(1, keepdim=True)
    before = before & ((place > last) | (before.cumsum(1) < length - last))
    shift = before.cumsum(1)
    source = torch.full((n, 2 * length + 1), -1, device=there.device)
    source.scatter_(1, torch.where(there, place + shift, 2 * length), place)
    source.scatter_(1, torch.where(before, place + shift - 1, 2 * length), what)
    return source[:, :length]


def words_in(tokens: Tensor) -> Tensor:
    """The number of words of each text, ``[n]``."""
    return begins_word(tokens).sum(1)


@edit("WordDeletion", unit="of the words", limit=0.5)
def word_deletion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Delete each word with this probability (EDA; Wei and Zou, 2019), but not all; negations stay."""
    allowed, bits = may_change(tokens), random_bits(uniforms, tokens.shape[1])
    last = torch.where(allowed, bits, -1).amax(1, keepdim=True)
    deleted = allowed & (bits < share.double()[:, None] * 2**32) & (bits < last)
    return only(has(tokens, THERE) & ~deleted)


@edit("WordSwap", unit="of the words", limit=0.5)
def word_swap(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Swap so many pairs of words (EDA; Wei and Zou, 2019), each word once; negations stay."""
    allowed = may_change(tokens)
    pairs = torch.minimum(count(share, words_in(tokens)), allowed.sum(1) // 2)[:, None]
    order, rank = drawn_from(allowed, uniforms)
    other = order.gather(1, torch.where(rank < pairs, rank + pairs, rank - pairs).clamp(0, rank.shape[1] - 1))
    place = torch.arange(rank.shape[1], device=rank.device).expand_as(rank)
    return torch.where(has(tokens, THERE), torch.where(rank < 2 * pairs, other, place), -1)


@edit("SpanCutout", unit="of the text", limit=0.5)
def span_cutout(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Delete a stretch of the text, as Cutout does in images (Shen et al., 2020); negations in it stay.

    A long word is deleted as a whole, if it begins there; a text of which nothing would be left stays.
    """
    lengths = lengths_of(tokens)
    width = torch.minimum(count(share, lengths), (lengths - 1).clamp(min=0))
    begin = (uniforms[:, 2].double() * (lengths - width + 1)).floor().long()
    place = torch.arange(tokens.shape[1], device=tokens.device)
    first = torch.where(has(tokens, PART), 0, place).cummax(1).values
    inside = (first >= begin[:, None]) & (first < (begin + width)[:, None])
    there = has(tokens, THERE)
    kept = there & ~(inside & ~has(tokens, PROTECTED))
    return only(torch.where(kept.any(1, keepdim=True), kept, there))


@edit("SentenceShuffle", unit="of the way to any order")
def sentence_shuffle(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Move sentences past each other: at 1 to any order, below that less far."""
    there, ends = has(tokens, THERE), has(tokens, END)
    ends = ends & ~torch.nn.functional.pad(ends[:, 1:], (0, 1))
    sentence = (ends.cumsum(1) - ends.long()).clamp(max=tokens.shape[1] - 1)
    many = torch.where(there, sentence, 0).amax(1) + 1
    moved = random_bits(uniforms, tokens.shape[1]).double() / 2**32 * (share.double() * many)[:, None]
    key = torch.where(there, sentence + moved.gather(1, sentence), torch.inf)
    return torch.where(there, key.argsort(dim=1, stable=True), -1)


@edit("PunctuationInsertion", family="signs", unit="of the words", limit=1 / 3)
def punctuation_insertion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Insert punctuation before so many words (AEDA; Karimi et al., 2021)."""
    words = begins_word(tokens)
    sign = random_bits(uniforms[:, 2:], tokens.shape[1]) % len(SIGNS)
    what = -2 - (2 * sign + has(tokens, SPACED).long())
    return with_inserted(tokens, chosen(words, share, words.sum(1), uniforms), what)


@edit("PunctuationDeletion", family="signs", unit="of the signs")
def punctuation_deletion(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Delete each sign that is no word with this probability; a text of signs alone keeps one."""
    there = has(tokens, THERE)
    signs, bits = there & ~has(tokens, WORD | PROTECTED), random_bits(uniforms, tokens.shape[1])
    last = torch.where(signs, bits, -1).amax(1, keepdim=True)
    spared = (bits == last) & ~has(tokens, WORD | PROTECTED).any(1, keepdim=True)
    return only(there & ~(signs & (bits < share.double()[:, None] * 2**32) & ~spared))
