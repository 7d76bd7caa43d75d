"""Where chance enters: plain functions on plain numbers, which exported code carries along word for word."""

from __future__ import annotations

import torch
from torch import Tensor

Table = list[list[tuple[float, list[tuple[int, float, float, float, bool]]]]]


def draw_operations(table: Table, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw for n samples, in S steps, which operator (``[S, n]``, -1 for none), its signed magnitude
    (``[S, n]``) and four uniform numbers for its own use (``[S, n, 4]``).

    `table` has for each layer its branches ``(weight, operations)``, and for each operation
    ``(operator, probability, lowest magnitude, highest magnitude, signed)``.
    """
    choices, magnitudes, draws = [], [], []
    for branches in table:
        weights = torch.tensor([weight for weight, _ in branches], dtype=torch.float64)
        branch = torch.multinomial(weights, n, replacement=True, generator=generator)
        for step in range(max(len(operations) for _, operations in branches)):
            nothing = (-1, 0.0, 0.0, 0.0, False)
            rows = [operations[step] if step < len(operations) else nothing for _, operations in branches]
            operator, probability, low, high, signed = torch.tensor(rows, dtype=torch.float64)[branch].unbind(1)
            chance = torch.rand(n, 7, generator=generator)
            sign = torch.where((signed > 0) & (chance[:, 2] < 0.5), -1.0, 1.0)
            choices.append(torch.where(chance[:, 0] < probability, operator, -1.0).long())
            magnitudes.append((sign * (low + chance[:, 1] * (high - low))).float())
            draws.append(chance[:, 3:])
    if not choices:
        return torch.empty(0, n, dtype=torch.long), torch.empty(0, n), torch.empty(0, n, 4)
    return torch.stack(choices), torch.stack(magnitudes), torch.stack(draws)


def draw_mixing(probability: float, alpha: float, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw for n samples the partner (``[n]``), the own weight (``[n]``, 1 where not mixed, else from
    Beta(alpha, alpha) by Johnk's method) and the centre of the box (``[n, 2]``).
    """
    partner = torch.randperm(n, generator=generator)
    place = torch.rand(n, 2, generator=generator)
    mixed = torch.rand(n, generator=generator) < probability
    weight = torch.empty(0, dtype=torch.float64)
    while len(weight) < n:
        x, y = torch.rand(2, 2 * n, generator=generator, dtype=torch.float64).pow(1 / alpha)
        accepted = (x + y <= 1) & (x + y > 0)
        weight = torch.cat([weight, (x / (x + y))[accepted]])
    return partner, torch.where(mixed, weight[:n], 1.0).float(), place


def own_share(weight: Tensor, place: Tensor | None, height: int, width: int) -> Tensor:
    """How much of its own image a sample keeps: MixUp ``[n, 1, 1, 1]``, or CutMix ``[n, 1, H, W]`` of 0 and 1,
    0 in a box of relative area ``1 - weight`` about `place`, cut off at the border.
    """
    if place is None:
        return weight[:, None, None, None]
    half = (1 - weight).sqrt()[:, None] / 2
    rows = ((torch.arange(height) + 0.5) / height - place[:, :1]).abs() < half
    columns = ((torch.arange(width) + 0.5) / width - place[:, 1:]).abs() < half
    return 1 - (rows[:, None, :, None] & columns[:, None, None, :]).float()
