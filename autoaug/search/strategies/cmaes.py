"""The covariance matrix adaptation evolution strategy (Hansen and Ostermeier, 2001)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from autoaug.errors import OptionError, SpaceError
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import Draw, History, SearchContext, Step, next_baseline
from autoaug.search.strategies.flat_space import check_flat
from autoaug.search.strategies.sampler_based import Sampled
from autoaug.utils.seeds import derive_seed

_SIGMA = 0.25


class CmaEs(Sampled):
    """A normal distribution over the unit cube, adapted after every generation."""

    name = "cmaes"
    summary = "an evolution strategy on flat numeric spaces; for hundreds of parallel trials"

    def check(self, space: SearchSpace) -> None:
        if importlib.util.find_spec("cmaes") is None:
            raise OptionError(f"strategy {self.name!r} needs the package cmaes: pip install 'autoaug[cmaes]'")
        check_flat(self.name, space, may_choose=False)
        if not (space.layers[1] or space.mixing.kinds != ("none",) or space.adversarial.kinds != ("none",)):
            raise SpaceError(f"strategy {self.name!r} has no numbers to adapt in space {space.name!r}; use random")

    def next(self, history: History, context: SearchContext) -> Step | None:
        # The optimizer's state can only be rebuilt from all trials, so the number observed cannot be bounded.
        return next_baseline(history, context) or Draw(
            lambda _: self.sampler(context.seed), [record for record in history.trials if record.is_drawn]
        )

    def sampler(self, seed: int) -> BaseSampler:
        return Replayed(seed)


class Replayed(BaseSampler):
    """CMA-ES that rebuilds its state from the trials for every draw, because a study stores trials and no pickled
    optimizer. Trials that did not complete count as the worst of their generation.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002 (Optuna's signature)
    ) -> dict[str, BaseDistribution]:
        """The dimensions of the first drawn trial."""
        drawn = next((t for t in study.get_trials(deepcopy=False) if t.params), None)
        return {} if drawn is None else dict(sorted(drawn.distributions.items()))

    def sample_relative(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002 (Optuna's signature)
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """The next point of the current generation."""
        if not search_space:
            return {}
        from cmaes import CMA

        trials = [t for t in study.get_trials(deepcopy=False) if t.params]
        bounds = np.tile([0.0, 1.0], (len(search_space), 1))
        optimizer = CMA(np.full(len(search_space), 0.5), _SIGMA, bounds, seed=derive_seed(self._seed, "cma") % 2**31)
        size = optimizer.population_size
        # The first point is the middle of the space, because only the first trial reveals the dimensions.
        generation, position = divmod(len(trials) - 1, size)
        for number in range(generation):
            observed = trials[1 + number * size : 1 + (number + 1) * size]
            for _ in observed:
                optimizer.ask()
            if all(t.state.is_finished() for t in observed):
                optimizer.tell(_losses(observed, search_space))
        point = [optimizer.ask() for _ in range(position + 1)][-1]
        return {name: _from_unit(d, x) for (name, d), x in zip(search_space.items(), point, strict=True)}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The middle of the range for the first trial; random for a dimension that earlier trials do not have."""
        if not any(t.params for t in study.get_trials(deepcopy=False) if t.number != trial.number):
            return _from_unit(param_distribution, 0.5)
        return RandomSampler(seed=self._seed).sample_independent(study, trial, param_name, param_distribution)


def _losses(trials: Sequence[FrozenTrial], space: dict[str, BaseDistribution]) -> list[tuple[np.ndarray, float]]:
    values = [t.value for t in trials if t.value is not None]
    worst = min(values, default=0.0)
    points = [np.array([_to_unit(d, t.params[name]) for name, d in space.items()]) for t in trials]
    return [(point, -(worst if t.value is None else t.value)) for point, t in zip(points, trials, strict=True)]


def _from_unit(distribution: BaseDistribution, x: float) -> Any:
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    value = low * (high / low) ** x if distribution.log else low + (high - low) * x
    is_whole = isinstance(distribution, IntDistribution)
    return int(min(high, max(low, round(value)))) if is_whole else float(min(high, max(low, value)))


def _to_unit(distribution: BaseDistribution, value: float) -> float:
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = float(distribution.low), float(distribution.high)
    if low == high:
        return 0.5
    return float(np.log(value / low) / np.log(high / low) if distribution.log else (value - low) / (high - low))
