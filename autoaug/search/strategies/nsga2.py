"""NSGA-II (Deb et al., 2002): optimizes score, robustness and compute at once."""

from __future__ import annotations

from optuna.samplers import BaseSampler, NSGAIISampler

from autoaug.search.strategies.sampler_based import Sampled


class Nsga2(Sampled):
    """An evolving population that approximates the Pareto front, which the report shows."""

    name = "nsga2"
    summary = "several objectives: score, robustness to attacks and corruptions, compute; for hundreds of trials"
    objectives = ("score", "robustness", "compute")
    prunes = False
    learns_from = 500

    def sampler(self, seed: int) -> BaseSampler:
        return NSGAIISampler(seed=seed, population_size=20)
