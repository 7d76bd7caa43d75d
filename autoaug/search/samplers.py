"""Optuna as this project uses it: its samplers, and without its log."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Have Optuna log nothing but errors in the block; what the caller's process logs is as before afterwards."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def tpe_sampler(seed: int, startup: int = 10) -> BaseSampler:
    """TPE as it is used here; the first `startup` draws are random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, group=True, constant_liar=True)
