"""Mixing of two pairs, which changes both sides alike; see `autoaug.modalities.base.Mixer`. What a mixed pair is to be
translated into is in the pair itself, so labels are not mixed: their weights are 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.modalities.base import Batch
from autoaug.modalities.text.bits import are_there, lengths_of
from autoaug.modalities.text.mixing import draw
from autoaug.modalities.translation.pairs import BACK, BEGINS, PIECES, SOURCE, TARGET

__all__ = ["draw", "kinds", "label_weights", "mix", "mixes_labels"]

#: The kinds of mixing; mode 1 of a plan is the first one.
kinds: tuple[str, ...] = ("concatenation", "token-mixing")
#: Whether mixed samples have mixed labels.
mixes_labels = False


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    """Mix each pair with its partner, if all rows have room for it.

    ``concatenation`` puts the partner's texts behind the own ones (Kondo et al., 2021). ``token-mixing`` replaces
    ``1 - weight`` of both texts, at the same place in proportion, by as much of the partner's: what CutMix is for
    images, and hard SeqMix (Guo et al., 2020) for a stretch instead of single tokens. It keeps a pair true only as far
    as both languages have one order of words.
    """
    mix_all = (_concatenated, _spliced)[int(mode.max()) - 1]
    mixed = (mode > 0).to(batch.values.device)[:, None, None, None]
    return Batch(torch.where(mixed, mix_all(batch.values, partners.values, weight, place), batch.values))


def _concatenated(values: Tensor, others: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    n, rows, length, numbers = values.shape
    own = lengths_of(values.flatten(0, 1)).view(n, rows)
    theirs = lengths_of(others.flatten(0, 1)).view(n, rows)
    fits = (own + theirs <= length).all(1)
    both = torch.cat([values, others], 2)
    index = torch.arange(length, device=values.device)
    source = torch.where(index < own[..., None], index, length + index - own[..., None]).clamp(max=2 * length - 1)
    made = both.gather(2, source[..., None].expand(n, rows, length, numbers))
    has_back = (values[:, BACK, 0, 0] != 0) & (others[:, BACK, 0, 0] != 0)
    made[:, BACK] *= has_back[:, None, None]  # half of a source would be none
    return torch.where(fits[:, None, None, None], made, values)


def _spliced(values: Tensor, others: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    weight, place = weight.to(values.device).double(), place.to(values.device).double()
    moved = torch.stack([1 - weight, place[:, 0]], 1)
    made, fits = values.clone(), weight < 1
    for row in (SOURCE, TARGET):
        own, theirs = (_stretch(lengths_of(both[:, row]), moved) for both in (values, others))
        made[:, row], fitting = _with_stretch(values[:, row], own, others[:, row], theirs)
        fits &= fitting
        if row == TARGET:
            spans = [_of_pieces(both[:, PIECES], span) for both, span in ((values, own), (others, theirs))]
            made[:, PIECES], fitting = _with_stretch(values[:, PIECES], spans[0], others[:, PIECES], spans[1])
            fits &= fitting
    made[:, BACK] = 0
    return torch.where(fits[:, None, None, None], made, values)


def _stretch(lengths: Tensor, moved: Tensor) -> tuple[Tensor, Tensor]:
    """The begin and the end ``[n]`` of a stretch of that share of a text, at that place in it."""
    width = (moved[:, 0] * lengths).round().long()
    begin = (moved[:, 1] * (lengths - width + 1)).floor().long()
    return begin, begin + width


def _of_pieces(pieces: Tensor, words: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """The pieces of a stretch of words."""
    word = torch.where(are_there(pieces), (pieces[..., 0] & BEGINS).bool().cumsum(1) - 1, pieces.shape[1])
    begin, end = ((word < bound[:, None]).sum(1) for bound in words)
    return begin, end


def _with_stretch(
    tokens: Tensor, own: tuple[Tensor, Tensor], others: Tensor, theirs: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """The tokens with a stretch of others instead of their own, and whether there is room for it, ``[n]``."""
    length = tokens.shape[1]
    index = torch.arange(length, device=tokens.device).expand(len(tokens), length)
    begin, end, first, width = own[0][:, None], own[1][:, None], theirs[0][:, None], (theirs[1] - theirs[0])[:, None]
    after = index - width - begin + end
    source = torch.where(
        index < begin, index, torch.where(index < begin + width, length + first + index - begin, after)
    )
    both = torch.cat([tokens, others, torch.zeros_like(tokens)], 1)
    source = torch.where(after >= length, 2 * length, source).clamp(0, 2 * length)
    fits = lengths_of(tokens) + width[:, 0] - (own[1] - own[0]) <= length
    return both.gather(1, source[..., None].expand_as(tokens)), fits


def label_weights(batch: Batch, partner: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """See `autoaug.modalities.base.Mixer`: what a pair is translated into is not in its label."""
    return torch.ones_like(weight)
