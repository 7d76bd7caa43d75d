"""Random search (Bergstra and Bengio, 2012)."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from autoaug.search.strategies.sampler_based import Sampled


class Random(Sampled):
    """Independent uniform draws."""

    name = "random"
    summary = "draw independently; the baseline that every other strategy must beat"
    learns_from = 1

    def sampler(self, seed: int) -> BaseSampler:
        return RandomSampler(seed=seed)
