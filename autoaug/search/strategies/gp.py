"""Bayesian optimization with a Gaussian process (Snoek et al., 2012)."""

from __future__ import annotations

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler

from autoaug.search.space import SearchSpace
from autoaug.search.strategies.flat_space import check_flat
from autoaug.search.strategies.sampler_based import Sampled


class Gp(Sampled):
    """A Matérn kernel with one length scale per dimension, a noise term, and expected improvement."""

    name = "gp"
    summary = "a Gaussian process on flat spaces; needs the fewest trials if there are few dimensions"
    learns_from = 120

    def check(self, space: SearchSpace) -> None:
        check_flat(self.name, space, may_choose=True)

    def sampler(self, seed: int) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return GPSampler(seed=seed, n_startup_trials=10, deterministic_objective=False)
