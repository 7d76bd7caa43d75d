"""The covariance matrix adaptation evolution strategy (Hansen and Ostermeier, 2001)."""

from __future__ import annotations

import copy
import importlib.util
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from autoaug.errors import OptionError, SpaceError
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import Draw, History, SearchContext, Step, Strategy, next_baseline
from autoaug.search.strategies.flat_space import check_flat
from autoaug.utils.seeds import derive_seed

if TYPE_CHECKING:
    from cmaes import CMA

_SIGMA = 0.25


class CmaEs(Strategy):
    """A normal distribution over the unit cube, adapted after every generation."""

    name = "cmaes"
    summary = "an evolution strategy on flat numeric spaces; for hundreds of parallel trials"

    def __init__(self) -> None:
        self._replay = _Replay()

    def check(self, space: SearchSpace) -> None:
        if importlib.util.find_spec("cmaes") is None:
            raise OptionError(f"strategy {self.name!r} needs the package cmaes: pip install 'autoaug[cmaes]'")
        check_flat(self.name, space, may_choose=False)
        kinds = (space.mixing.kinds, space.adversarial.kinds, space.synthetic.kinds)
        if not (space.layers[1] or space.regularization or any(own != ("none",) for own in kinds)):
            raise SpaceError(f"strategy {self.name!r} has no numbers to adapt in space {space.name!r}; use random")

    def next(self, history: History, context: SearchContext) -> Step | None:
        drawn = [record.frozen for record in history.trials if record.is_drawn]
        return next_baseline(history, context) or Draw(lambda _: _Generations(context.seed, drawn, self._replay))


class _Replay:
    """CMA-ES after the finished generations. Its state follows from the trials, because a study stores trials and no
    pickled optimizer; it is kept between the draws of a study, so that the optimizer gets each generation once.
    """

    def __init__(self) -> None:
        self._of, self._told = (-1, 0), list[FrozenTrial]()  # the seed, and the number of dimensions
        self._optimizer: CMA | None = None

    def next_point(self, seed: int, drawn: Sequence[FrozenTrial], space: dict[str, BaseDistribution]) -> np.ndarray:
        """The next point, in the unit cube, of the generation that is being drawn after the trials `drawn`. Those that
        did not complete count as the worst of their generation; one under way holds back what its generation tells.
        """
        followers = drawn[1:]  # the first point is in the middle, because only it tells which dimensions there are
        of = seed, len(space)
        if self._optimizer is None or self._of != of or followers[: len(self._told)] != self._told:
            self._of, self._told, self._optimizer = of, [], _optimizer(*of)
        size = self._optimizer.population_size
        generations = [followers[k : k + size] for k in range(len(self._told), len(followers) - size + 1, size)]
        for generation in itertools.takewhile(_has_ended, generations):
            _repeat(self._optimizer, generation, space)
            self._told += generation
        ahead = copy.copy(self._optimizer)
        vars(ahead).update(copy.deepcopy(vars(self._optimizer)))  # deepcopy of the whole leaves its generator out
        waiting = followers[len(self._told) :]
        for generation in (waiting[k : k + size] for k in range(0, len(waiting), size)):
            _repeat(ahead, generation, space)
        point: np.ndarray = ahead.ask()
        return point


class _Generations(BaseSampler):
    """The point that CMA-ES asks for after the trials `drawn`."""

    def __init__(self, seed: int, drawn: Sequence[FrozenTrial], replay: _Replay) -> None:
        self._seed, self._drawn, self._replay = seed, drawn, replay

    def infer_relative_search_space(
        self,
        study: Study,  # noqa: ARG002 (Optuna's signature)
        trial: FrozenTrial,  # noqa: ARG002
    ) -> dict[str, BaseDistribution]:
        """The dimensions of the first drawn trial."""
        return dict(sorted(self._drawn[0].distributions.items())) if self._drawn else {}

    def sample_relative(
        self,
        study: Study,  # noqa: ARG002 (Optuna's signature)
        trial: FrozenTrial,  # noqa: ARG002
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """The next point of the current generation."""
        if not search_space:
            return {}
        point = self._replay.next_point(self._seed, self._drawn, search_space)
        return {name: _from_unit(d, x) for (name, d), x in zip(search_space.items(), point, strict=True)}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The middle of the range for the first trial; random for a dimension that earlier trials do not have."""
        if not self._drawn:
            return _from_unit(param_distribution, 0.5)
        return RandomSampler(seed=self._seed).sample_independent(study, trial, param_name, param_distribution)


def _optimizer(seed: int, dimensions: int) -> CMA:
    from cmaes import CMA

    bounds = np.tile([0.0, 1.0], (dimensions, 1))
    return CMA(np.full(dimensions, 0.5), _SIGMA, bounds, seed=derive_seed(seed, "cma") % 2**31)


def _has_ended(generation: Sequence[FrozenTrial]) -> bool:
    return all(trial.state.is_finished() for trial in generation)


def _repeat(optimizer: CMA, generation: Sequence[FrozenTrial], space: dict[str, BaseDistribution]) -> None:
    """Have `optimizer` draw a generation again, and tell it what came of it where all of it has been and has ended."""
    for _ in generation:
        optimizer.ask()
    if len(generation) == optimizer.population_size and _has_ended(generation):
        optimizer.tell(_losses(generation, space))


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
