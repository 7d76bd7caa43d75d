"""The tree-structured Parzen estimator (Bergstra et al., 2011; Watanabe, 2023)."""

from __future__ import annotations

from optuna.samplers import BaseSampler

from autoaug.search.samplers import tpe_sampler
from autoaug.search.strategies.sampler_based import Sampled


class Tpe(Sampled):
    """Multivariate, grouped (for conditional spaces), with the constant liar (for parallel trials)."""

    name = "tpe"
    summary = "model good and bad trials over the whole space; pays off from about 30 trials on"

    def sampler(self, seed: int) -> BaseSampler:
        return tpe_sampler(seed)
