"""Mixing of two sounds; see `autoaug.modalities.base.Mixer`. Plain functions, which exported modules contain verbatim
if they need them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import draw_beta, uniform
from autoaug.functional.tensors import sent
from autoaug.modalities.audio.signals import lengths_of
from autoaug.modalities.base import Batch

#: The kinds of mixing; mode 1 of a plan is the first one.
kinds: tuple[str, ...] = ("mixup", "cutmix")
#: Whether mixed samples have mixed labels.
mixes_labels = True


def draw_mixing(
    modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw for n samples the mode (``[n]``: one of `modes` with equal probability, or 0 for no mixing), the partner
    (``[n]``), the own weight (``[n]``: 1 without mixing, otherwise from Beta(alpha, alpha)), and where the partner's
    stretch of time begins in the sample and in the partner (``[n, 2]``).
    """
    partner = torch.randperm(n, generator=generator, device="cpu")
    place = uniform(n, 2, generator)
    chance = uniform(n, 2, generator)
    weight = draw_beta(alpha, n, generator).float()
    mixed = chance[:, 0] < probability
    mode = torch.where(mixed, torch.where(chance[:, 1] < 0.5, *modes), 0)
    return mode, partner, torch.where(mixed, weight, 1.0), place


draw = draw_mixing


def mix_waves(waves: Tensor, partners: Tensor, kind: int, weight: Tensor, place: Tensor) -> Tensor:
    """Mix each of ``waves [n, C, T]`` with its partner: kind 1 adds the two by weight (MixUp; Zhang et al., 2018), kind
    2 replaces ``1 - weight`` of the sample's length by a stretch of the partner (CutMix; Yun et al., 2019).
    """
    if kind == 1:
        return torch.lerp(partners, waves, weight.to(waves)[:, None, None])
    own, other = lengths_of(waves), lengths_of(partners)
    width = ((1 - weight) * own).round()
    begin = (place[:, 0] * (own - width + 1)).floor().clamp(max=own - width)
    source = (place[:, 1] * (other - width + 1).clamp(min=1)).floor()
    time = torch.arange(waves.shape[-1], device=waves.device)
    inside = (time >= begin[:, None]) & (time < (begin + width)[:, None])
    index = (time + (source - begin)[:, None]).long().clamp(0, waves.shape[-1] - 1)
    moved = partners.gather(2, index[:, None].expand(-1, waves.shape[1], -1))
    return torch.where(inside[:, None], moved, waves)


def mix_pairs(waves: Tensor, partners: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """Mix each sample with its partner in its own mode; `mode` is on the host. A weight of 1 leaves a sample as it is,
    and weights on another device are those of a single kind.
    """
    for kind in sorted(set(mode.tolist()) - {0}):
        own = torch.where(mode == kind, weight, 1.0) if weight.device == mode.device else weight
        waves = mix_waves(waves, partners, kind, sent(own, waves.device), sent(place, waves.device))
    return waves


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    """See `autoaug.modalities.base.Mixer`; where sounds are added, the longer one gives the length."""
    mixed = mix_pairs(batch.values, partners.values, mode, weight, place)
    return Batch(mixed, lengths_of(mixed))


def label_weights(batch: Batch, partner: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    """See `autoaug.modalities.base.Mixer`: the weight, or the share of the length, whatever that is."""
    return weight
