"""Random search (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from autoaug.strategies.base import Strategy


def sampler(seed: int) -> BaseSampler:
    """Independent uniform draws."""
    return RandomSampler(seed=seed)


STRATEGY = Strategy("random", "draw independently; the rival that every other strategy must beat", sampler)
