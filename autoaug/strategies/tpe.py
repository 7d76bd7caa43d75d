"""The tree-structured Parzen estimator (Bergstra et al., 2011; Watanabe, 2023)."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from autoaug.strategies.sampled import Sampled


class Tpe(Sampled):
    """Multivariate, grouped (for conditional spaces), with the constant liar (for trials side by side)."""

    name = "tpe"
    summary = "model the good and the bad trials over the whole space; pays from about 30 trials on"

    def sampler(self, seed: int) -> BaseSampler:
        return tpe_sampler(seed)


def tpe_sampler(seed: int, startup: int = 10) -> BaseSampler:
    """TPE as it is used here; the first `startup` draws are random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, group=True, constant_liar=True)
