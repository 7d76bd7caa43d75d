"""Mixing of two texts; see `autoaug.modalities.base.Mixer`."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import draw_beta, uniform
from autoaug.modalities.base import Batch
from autoaug.modalities.text.bits import lengths_of

#: The kinds of mixing; mode 1 of a plan is the first one.
kinds: tuple[str, ...] = ("cutmix", "mixup")
#: Whether mixed samples have mixed labels.
mixes_labels = True


def draw(
    modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """See `autoaug.modalities.base.Mixer`; the two places are of the stretch in the text and in its partner."""
    partner = torch.randperm(n, generator=generator, device="cpu")
    place, chance = uniform(n, 2, generator), uniform(n, 2, generator)
    weight = draw_beta(alpha, n, generator).float()
    mixed = chance[:, 0] < probability
    mode = torch.where(mixed, torch.where(chance[:, 1] < 0.5, *modes), 0)
    return mode, partner, torch.where(mixed, weight, 1.0), place


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    """Replace ``1 - weight`` of each text by as many tokens of its partner, from anywhere in it (CutMix; Yun et al.,
    2019; for text, Yoon et al., 2021). MixUp (Guo et al., 2019) leaves texts as they are: training mixes the vectors of
    their words.
    """
    if kinds[int(mode.max()) - 1] == "mixup":
        return batch
    tokens, others = batch.values, partners.values
    weight, place = weight.to(tokens.device), place.to(tokens.device)
    own, theirs = lengths_of(tokens), lengths_of(others)
    own, theirs, width = (each[:, None] for each in (own, theirs, _width(weight, own, theirs)))
    begin = (place[:, :1].double() * (own - width + 1)).floor().long()
    source = (place[:, 1:].double() * (theirs - width + 1)).floor().long()
    index = torch.arange(tokens.shape[1], device=tokens.device)
    inside = (index >= begin) & (index < begin + width)
    moved = others.gather(1, (index + source - begin).clamp(0, tokens.shape[1] - 1)[..., None].expand_as(others))
    mixed = torch.where(inside[..., None], moved, tokens)
    return Batch(mixed, lengths_of(mixed))


def label_weights(batch: Batch, partner: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """See `autoaug.modalities.base.Mixer`: by CutMix, the share of the text's tokens that stays, as both texts are
    before their operators; a short partner replaces fewer than were drawn.
    """
    own = lengths_of(batch.values).to(weight.device)
    kept = 1 - _width(weight, own, own[partner.to(own.device)]) / own.clamp(min=1)
    return torch.where(mode.to(weight.device) == 1 + kinds.index("cutmix"), kept.to(weight), weight)


def _width(weight: Tensor, own: Tensor, theirs: Tensor) -> Tensor:
    """How many of ``own [n]`` tokens are replaced by some of ``theirs [n]``."""
    return torch.minimum(((1 - weight.double()) * own).round().long(), theirs)
