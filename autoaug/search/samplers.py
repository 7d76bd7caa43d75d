"""Optuna's samplers, as this project uses them."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler


def tpe_sampler(seed: int, startup: int = 10) -> BaseSampler:
    """TPE as it is used here; the first `startup` draws are random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, group=True, constant_liar=True)
