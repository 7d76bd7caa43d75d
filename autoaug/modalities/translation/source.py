"""Operators on pairs. All of them change the source and keep the target, which is what a network learns to write: noise
keeps the pair true as far as a reader would still translate it so, and another source for the same target is one. What
changes both sides is mixing; see `autoaug.modalities.translation.mixing`.
"""

from __future__ import annotations

import warnings
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from autoaug.data.inputs import Inputs, in_blocks
from autoaug.modalities.operators import operator, preparing, registered
from autoaug.modalities.text import MODALITY as TEXT
from autoaug.modalities.text.bits import are_there, flags_of, has, may_change, on_host, placed, random_bits
from autoaug.modalities.text.edits import edit, none_outside
from autoaug.modalities.text.tokens import MADE, PROTECTED, SPACED, THERE, WORD, as_rows, text_of, tokenized, words_of
from autoaug.modalities.text.translators import rewritten, translator
from autoaug.modalities.translation.pairs import BACK, SOURCE, TARGET
from autoaug.utils.quantities import counted

TEXT.register()
for own in (one for one in registered(TEXT.name) if one.learns is None and one.prepares is None):
    operator(
        f"Source{own.name}",
        modality="translation",
        family=own.family,
        unit=own.unit,
        limit=own.limit,
        signed=own.signed,
        kind=own.kind,
        jumps=own.jumps,
    )(own.function)

source = partial(operator, modality="translation", family="source", jumps=True)


@cache
def _blank() -> Tensor:
    """The token of a word that is not told, ``[3]``."""
    return torch.from_numpy(as_rows([[bytes([THERE | MADE | WORD]) + b"_".ljust(23, b"\0")]], 1)[0, 0])


@source("WordDropout", unit="of the words", limit=0.5, kind="tokens")
def word_dropout(tokens: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Blank each word of the source with this probability (Gal and Ghahramani, 2016); negations stay."""
    rare = random_bits(on_host(uniforms), tokens.shape[1]) < on_host(share).astype(np.float64)[:, None] * 2**32
    dropped = placed(may_change(flags_of(tokens)) & rare, tokens)
    blank = _blank().to(tokens.device).expand_as(tokens).clone()
    blank[..., 0] |= tokens[..., 0] & SPACED
    return torch.where(dropped[..., None], blank, tokens)


@edit("LocalShuffle", unit="places", limit=6.0, family="source", modality="translation")
def local_shuffle(flags: np.ndarray, reach: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Shuffle the source so that words move by fewer places than this (Lample et al., 2018); negations stay."""
    allowed = may_change(flags)
    rank = allowed.cumsum(1) - 1
    moved = random_bits(uniforms, flags.shape[1]) / 2**32 * reach.astype(np.float64)[:, None]
    order = np.where(allowed, rank + moved, np.inf).argsort(1, kind="stable")
    source = np.where(allowed, np.take_along_axis(order, np.maximum(rank, 0), 1), np.arange(flags.shape[1]))
    return none_outside(source, has(flags, THERE))


def _replaced(values: Tensor, row: int, share: Tensor, uniforms: Tensor) -> Tensor:
    """The pairs, with that row as source in a share of them, where it is not empty."""
    chosen = (uniforms[:, 0] < share) & (values[:, row, 0, 0] != 0)
    changed = values.clone()
    changed[:, SOURCE] = torch.where(chosen[:, None, None], values[:, row] | _made(values[:, row]), values[:, SOURCE])
    return changed


def _made(tokens: Tensor) -> Tensor:
    """The flag of what an operator made, for each token that is there; int64 of the same shape."""
    flags = torch.zeros_like(tokens)
    flags[..., 0] = are_there(tokens) * MADE
    return flags


def _translated(pairs: Inputs) -> None:
    """Translate all targets back that are not given so, so that these translations are there when they are needed."""
    for block in in_blocks(pairs):
        _backs(block[block[:, BACK, 0, 0] == 0])


def _backs(pairs: np.ndarray) -> list[str]:
    """The targets of pairs ``[n, 4, L, 3]``, translated back by the user's translator; empty texts without."""
    own = translator()
    return [""] * len(pairs) if own is None else rewritten([text_of(pair[TARGET]) for pair in pairs], own)


def _with_backs(values: Tensor, wanted: Tensor) -> Tensor:
    """The pairs with the translations of their targets back, if these are ``wanted [n]`` and not there. What must stay
    in the source must stay in them.
    """
    places = (wanted & (values[:, BACK, 0, 0] == 0)).nonzero()[:, 0]
    pairs, made, length = values[places].cpu().numpy(), values.clone(), values.shape[2]
    for place, pair, back in zip(places.tolist(), pairs, _backs(pairs), strict=True):
        stays = frozenset(word.lower() for word, flags in words_of(pair[SOURCE]) if flags & PROTECTED)
        made[place, BACK] = torch.from_numpy(as_rows([tokenized(back, stays)], length)[0])
    return made


@source("BackTranslation", unit="of the pairs", kind="pairs")
@preparing(_translated)
def back_translation(values: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Take the target, translated back, as source (Sennrich et al., 2016), in this share of the pairs that have one."""
    values = _with_backs(values, uniforms[:, 0] < share)
    if translator() is None and not bool((values[:, BACK, 0, 0] != 0).any()):
        words = (
            f"none of {counted(len(values), 'pair')} has a translation of its target back: BackTranslation leaves them"
        )
        warnings.warn(words, stacklevel=2)
    return _replaced(values, BACK, share, uniforms)


@source("TargetCopy", unit="of the pairs", kind="pairs")
def target_copy(values: Tensor, share: Tensor, uniforms: Tensor) -> Tensor:
    """Take the target itself as source in this share of the pairs (copied monolingual text; Currey et al., 2017)."""
    return _replaced(values, TARGET, share, uniforms)
