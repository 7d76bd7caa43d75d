"""Where chance enters: plain functions on plain numbers, which exported code carries along word for word."""

from __future__ import annotations

import torch
from torch import Tensor

Table = list[list[tuple[float, list[tuple[int, float, float, float, float]]]]]


def seed_in_worker(seed: int, worker: int) -> int:
    """The seed of a transform's generator in a loader's worker process, from its own and the worker's in this epoch."""
    return (1_000_003 * seed + worker) % 2**64


def draw_operations(table: Table, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw for n samples, in S steps, which operator (``[S, n]``, -1 for none), its signed magnitude
    (``[S, n]``) and four uniform numbers for its own use (``[S, n, 4]``).

    `table` has for each layer its branches ``(weight, operations)``, and for each operation
    ``(operator, probability, lowest magnitude, highest magnitude, share of negative signs)``.
    """
    choices, magnitudes, draws = [], [], []
    for branches in table:
        weights = torch.tensor([weight for weight, _ in branches], dtype=torch.float64)
        branch = torch.multinomial(weights, max(n, 1), replacement=True, generator=generator)[:n]
        for step in range(max(len(operations) for _, operations in branches)):
            nothing = (-1, 0.0, 0.0, 0.0, 0.0)
            rows = [operations[step] if step < len(operations) else nothing for _, operations in branches]
            operator, probability, low, high, negative = torch.tensor(rows, dtype=torch.float64)[branch].unbind(1)
            chance = torch.rand(n, 7, generator=generator)
            sign = torch.where(chance[:, 2] < negative, -1.0, 1.0)
            choices.append(torch.where(chance[:, 0] < probability, operator, -1.0).long())
            magnitudes.append((sign * (low + chance[:, 1] * (high - low))).float())
            draws.append(chance[:, 3:])
    if not choices:
        return torch.empty(0, n, dtype=torch.long), torch.empty(0, n), torch.empty(0, n, 4)
    return torch.stack(choices), torch.stack(magnitudes), torch.stack(draws)


def draw_chains(
    table: Table, width: int, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw `width` chains a sample (AugMix; Hendrycks et al., 2020): the operations as `draw_operations` does, of
    which a uniformly drawn number of first layers is kept in each chain, and the weights ``[n, 1 + width]`` of the
    original and the chains: Dirichlet(alpha) times a share from Beta(alpha, alpha).
    """
    parts = []
    for _ in range(width):
        choice, magnitude, draws = draw_operations(table, n, generator)
        depth = torch.randint(1, len(table) + 1, (n,), generator=generator)
        layer = torch.cat([torch.full((max(len(o) for _, o in branches),), i) for i, branches in enumerate(table)])
        parts.append((torch.where(layer[:, None] < depth, choice, -1), magnitude, draws))
    choice, magnitude, draws = (torch.cat(steps) for steps in zip(*parts, strict=True))
    gammas = torch._standard_gamma(torch.full((n, width), alpha, dtype=torch.float64), generator=generator)
    share = draw_beta(alpha, n, generator)[:, None]
    chains = share * gammas / gammas.sum(1, keepdim=True)
    return choice, magnitude, draws, torch.cat([1 - share, chains], 1).float()


def draw_beta(alpha: float, n: int, generator: torch.Generator) -> Tensor:
    """``[n]`` float64 from Beta(alpha, alpha), as a ratio of gammas."""
    # The public distributions of torch take no generator.
    gammas = torch._standard_gamma(torch.full((2, n), alpha, dtype=torch.float64), generator=generator)
    return gammas[0] / gammas.sum(0)


def draw_mixing(
    modes: tuple[int, int], probability: float, alpha: float, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Draw for n samples the mode (``[n]``, one of `modes`, evenly, or 0 where not mixed), the partner (``[n]``),
    the own weight (``[n]``, 1 where not mixed, else from Beta(alpha, alpha); ResizeMix draws the partner's side from
    0.1 to 0.8 of the image's) and the centre of the box (``[n, 2]``).
    """
    partner = torch.randperm(n, generator=generator)
    place = torch.rand(n, 2, generator=generator)
    chance = torch.rand(n, 3, generator=generator)
    weight = draw_beta(alpha, n, generator).float()
    mode = torch.where(chance[:, 1] < 0.5, *modes)
    side = 0.1 + 0.7 * chance[:, 2]
    weight = torch.where(mode == 3, 1 - side.square(), torch.where(mode == 4, 0.5, weight))
    mixed = chance[:, 0] < probability
    return torch.where(mixed, mode, 0), partner, torch.where(mixed, weight, 1.0), place
