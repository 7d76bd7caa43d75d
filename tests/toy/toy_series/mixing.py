"""MixUp, and a kind of its own: a series goes over into another one."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import draw_beta, uniform
from autoaug.modalities.base import Batch

kinds: tuple[str, ...] = ("mixup", "splice")
mixes_labels = True


def draw(
    modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    partner = torch.randperm(n, generator=generator, device="cpu")
    mixed = uniform(n, 1, generator)[:, 0] < probability
    weight = torch.where(mixed, draw_beta(alpha, n, generator).float(), 1.0)
    mode = torch.where(uniform(n, 1, generator)[:, 0] < 0.5, *modes)
    return torch.where(mixed, mode, 0), partner, weight, torch.zeros(n, 2, device="cpu")


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    share, mode = (part.to(batch.values.device)[:, None, None] for part in (weight, mode))
    mixed = torch.lerp(partners.values, batch.values, share.to(batch.values))
    steps = batch.values.shape[-1]
    is_own = torch.arange(steps, device=share.device) < (share * steps).round()
    return batch._replace(values=torch.where(mode == 2, torch.where(is_own, batch.values, partners.values), mixed))


def label_weights(batch: Batch, partner: Tensor, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    return weight
