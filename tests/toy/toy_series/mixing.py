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
    partner = torch.randperm(n, generator=generator, device="cpu")
    mixed = uniform(n, 1, generator)[:, 0] < probability
    weight = torch.where(mixed, draw_beta(alpha, n, generator).float(), 1.0)
    return torch.where(mixed, modes[0], 0), partner, weight, torch.zeros(n, 2, device="cpu")


def mix(batch: Batch, partners: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Batch:
    share = weight.to(batch.values)[:, None, None]
    return batch._replace(values=torch.lerp(partners.values, batch.values, share))


def label_weights(batch: Batch, mode: Tensor, weight: Tensor, place: Tensor) -> Tensor:
    return weight
