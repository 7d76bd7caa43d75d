"""MixUp alone."""

from __future__ import annotations

import torch
from torch import Tensor

from autoaug.functional.sampling import draw_beta, uniform
from autoaug.modalities.base import Batch

kinds: tuple[str, ...] = ("mixup",)


def draw(
    modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mixed = uniform(n, 1, generator)[:, 0] < probability
    weight = torch.where(mixed, draw_beta(alpha, n, generator).float(), 1.0)
    partner = torch.randperm(n, generator=generator)
    return torch.where(mixed, modes[0], 0), partner, weight, torch.zeros(n, 2)


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    return batch._replace(values=torch.lerp(partners.values, batch.values, weight.to(batch.values)[:, None, None]))


def label_weights(batch: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    return weight
