"""The tree-structured Parzen estimator (Bergstra et al., 2011; Watanabe, 2023)."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from autoaug.strategies.base import Strategy


def sampler(seed: int) -> BaseSampler:
    """Multivariate, grouped (for conditional spaces), with the constant liar (for trials side by side)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


STRATEGY = Strategy("tpe", "model the good and the bad trials; the default from about 20 trials on", sampler)
