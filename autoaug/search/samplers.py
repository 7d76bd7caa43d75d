"""Optuna as this project uses it: its samplers, with its log silenced."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Let Optuna log only errors within the block; restore the caller's log level afterwards."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def tpe_sampler(seed: int, startup: int = 10) -> BaseSampler:
    """TPE with this project's settings; the first `startup` draws are random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, group=True, constant_liar=True)
