"""Strategies based on an Optuna sampler: baselines first, then the sampler's draws."""

from __future__ import annotations

from abc import abstractmethod

from optuna.samplers import BaseSampler

from autoaug.search.strategies.base import Draw, History, SearchContext, Step, Strategy, next_baseline, recent_and_best


class Sampled(Strategy):
    """Trains the baselines, then what its sampler draws from the whole space, at full length.

    Attributes:
        learns_from: the most trials that the sampler observes.
    """

    learns_from: int = 250

    @abstractmethod
    def sampler(self, seed: int) -> BaseSampler:
        """The sampler for one draw."""

    def next(self, history: History, context: SearchContext) -> Step | None:
        baseline = next_baseline(history, context)
        return baseline or Draw(self.sampler, recent_and_best(history.trials, self.learns_from))
