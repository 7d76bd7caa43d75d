"""Rules of what a search returns, compared in simulated searches with known true accuracies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoaug.evaluation.returning import best_bet, best_by_validation
from autoaug.evaluation.scoring import Scoring, Trainings
from autoaug.evaluation.verdict import Judgment
from autoaug.results import Candidate
from benchmarks.verdict_worlds import Confirmation, World, confirmed

#: True accuracies of baselines, relative to the best one. The first is no augmentation. The order of the others is
#: drawn, because the order of entry says which policy is simpler.
BASELINES = {"baseline-0": -0.05, "baseline-1": -0.02, "baseline-2": 0.0, "baseline-3": -0.005, "baseline-4": -0.01}
#: A returned policy counts as worse if it is below the best baseline by more than this.
WORSE = 0.003
Rule = Callable[[Sequence[Candidate], Trainings, Scoring, int], Candidate]


@dataclass(frozen=True)
class Search:
    """A search, up to its confirmation.

    Attributes:
        policies: the number of policies that it tries.
        mean, spread: the mean and standard deviation of their true accuracies, relative to the best baseline.
        noise: the standard deviation of their scores, beside the luck with the validation samples.
        finalists: the number of policies that are confirmed.
    """

    policies: int = 30
    mean: float = -0.01
    spread: float = 0.01
    noise: float = 0.005
    finalists: int = 3

    def confirmation(
        self, world: World, seeds: int, draw: np.random.Generator
    ) -> tuple[Confirmation, dict[str, float]]:
        """The trainings of its finalists and the baselines on fresh seeds, and the true accuracy of each policy."""
        worst, *others = BASELINES.values()
        gains = np.array([worst, *draw.permutation(others), *draw.normal(self.mean, self.spread, self.policies)])
        validation, test = (world.patterns(gains, samples, draw) for samples in (world.validation, world.test))
        known = len(BASELINES)
        scores = validation[known:].mean(1) + draw.normal(0, self.noise, self.policies)
        chosen = [*range(known), *(known + np.argsort(-scores)[: self.finalists])]
        names = [*BASELINES, *(f"searched-{number}" for number in range(self.finalists))]
        quality = world.quality(len(chosen), seeds, draw)
        seen, locked = (world.trainings(patterns[chosen], quality, draw) for patterns in (validation, test))
        return Confirmation(names, seen, locked, world.scored()), dict(zip(names, gains[chosen].tolist(), strict=True))


#: From a search that finds nothing better to one in which half of the policies are better than the best baseline.
SEARCHES = {
    "nothing better": Search(mean=-0.02, spread=0.005),
    "a few a little better": Search(mean=-0.015, spread=0.01),
    "a few better": Search(mean=-0.01, spread=0.01),
    "half better": Search(mean=0.0, spread=0.01),
}


def _simplest_within_one_error(
    candidates: Sequence[Candidate], trainings: Trainings, scoring: Scoring, seeds: int
) -> Candidate:
    """The first candidate within one standard error of the best by validation (Breiman et al., 1984)."""
    best = best_by_validation(candidates, seeds)
    for candidate in candidates:
        if candidate is best:
            break
        both = ([trainings[c.name, seed] for seed in c.seeds[:seeds]] for c in (best, candidate))
        behind = np.mean(best.validation_scores[:seeds]) - np.mean(candidate.validation_scores[:seeds])
        if behind <= scoring.validation_errors(*both).total:
            return candidate
    return best


def _discounted(discount: float) -> Rule:
    return lambda candidates, trainings, scoring, seeds: best_bet(candidates, trainings, scoring, seeds, discount)


RULES: Mapping[str, Rule] = {
    "the best baseline": lambda candidates, trainings, scoring, seeds: best_by_validation(  # noqa: ARG005
        [c for c in candidates if c.kind == "baseline"], seeds
    ),
    "the best by validation": _discounted(0.0),
    "ahead by half an error of the samples": _discounted(0.5),
    "ahead by one error of the samples": _discounted(1.0),
    "ahead by two errors of the samples": _discounted(2.0),
    "the simplest within one error": _simplest_within_one_error,
}


def returned(judgment: Judgment, bet: Candidate) -> str:
    """The name of the policy that a run returns: the finalist if it is better, its baseline if it is worse, otherwise
    the `bet`.
    """
    comparison = judgment.comparison
    assert comparison is not None
    return {"better": comparison.candidate, "worse": comparison.baseline}.get(judgment.verdict, bet.name)


def compared(
    search: Search, world: World, planned: tuple[int, ...], count: int, seed: int
) -> dict[str, dict[str, float]]:
    """For each rule, the mean true accuracy of the returned policy relative to the best baseline, its standard error,
    and how often the policy is worse.
    """
    draw = np.random.default_rng(seed)
    worth: dict[str, list[float]] = {rule: [] for rule in RULES}
    for _ in range(count):
        confirmation, truth = search.confirmation(world, planned[-1], draw)
        judgment, trained = confirmed(confirmation, planned)
        trainings, candidates = confirmation.trainings(), confirmation.candidates(trained)
        shared = min(trained.values())
        for rule, bet in RULES.items():
            name = returned(judgment, bet(candidates, trainings, confirmation.scoring, shared))
            worth[rule].append(truth[name])
    return {
        rule: {
            "mean gain": float(np.mean(values)),
            "standard error": float(np.std(values) / np.sqrt(count)),
            "worse": float(np.mean(np.array(values) < -WORSE)),
        }
        for rule, values in worth.items()
    }
