"""Two candidates on the same seeds and test samples: the difference, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autoaug.evaluation.group_sequential import (
    is_futile,
    level_at,
    median_unbiased,
    reach_at,
    repeated_p_value,
    was_decided,
)
from autoaug.evaluation.scoring import Scoring, Trainings
from autoaug.evaluation.statistics import Errors, Reach, mcnemar, verdict_of
from autoaug.results import Candidate, Comparison, McNemar, Verdict


@dataclass(frozen=True)
class Paired:
    """The difference of two candidates, paired by seed, at one of the planned interim analyses.

    Attributes:
        differences: the difference for each seed.
        errors: the errors of their mean.
        planned: the numbers of seeds at the interim analyses; empty for a single analysis.
        folds: the number of folds that the seeds were tested on in turn; None if all were tested on all samples.
        test_groups: the number of groups of the test samples; None without groups.
    """

    differences: tuple[float, ...]
    errors: Errors
    planned: tuple[int, ...] = ()
    folds: int | None = None
    test_groups: int | None = None

    @property
    def number(self) -> int:
        """Which of the planned analyses this is, from 0."""
        return self.planned.index(len(self.differences)) if self.planned else 0

    @cached_property
    def mean(self) -> float:
        """The plain mean of the differences."""
        return float(np.mean(self.differences))

    @cached_property
    def reach(self) -> Reach:
        """Half the width of the interval, in two parts."""
        return reach_at(self.errors, self.planned, self.number)

    @property
    def level(self) -> float:
        """The level of the seeds' part at this analysis alone."""
        return level_at(self.planned, self.number)

    @property
    def ci95(self) -> tuple[float, float]:
        """The interval of the difference, which holds with 95 % over all interim analyses together."""
        return self.mean - self.reach.total, self.mean + self.reach.total

    @property
    def verdict(self) -> Verdict:
        """The verdict that the interval allows."""
        return verdict_of(self.ci95)

    @cached_property
    def difference(self) -> float:
        """The estimate: the mean, corrected for early stopping if it is this difference that stopped."""
        if was_decided(self.differences, self.errors, self.planned, self.number):
            return self.mean
        return median_unbiased(self.mean, self.errors, self.planned, self.number)

    @cached_property
    def p_value(self) -> float:
        """The p-value of the hypothesis of no difference, over all interim analyses together."""
        return repeated_p_value(self.mean, self.errors, self.planned, self.number)

    @property
    def is_futile(self) -> bool:
        """Whether more seeds are unlikely to show that the difference is above 0."""
        return is_futile(self.mean, self.errors, self.planned, self.number)


def _common_seeds(ours: Candidate, theirs: Candidate) -> list[int]:
    """The seeds that both were trained with: the first ones in a common order."""
    return [seed for seed, _ in zip(ours.seeds, theirs.seeds, strict=False)]


def paired(
    ours: Candidate, theirs: Candidate, trainings: Trainings, scoring: Scoring, planned: Sequence[int] = ()
) -> Paired:
    """The difference on the test split, over the seeds that both were trained with."""
    seeds = _common_seeds(ours, theirs)
    differences = tuple(a - b for a, b in zip(ours.test_scores, theirs.test_scores, strict=False))
    both = ([trainings[candidate.name, seed] for seed in seeds] for candidate in (ours, theirs))
    return Paired(differences, scoring.errors(*both), tuple(planned), scoring.fold_count, scoring.group_count)


def comparison_of(
    ours: Candidate, theirs: Candidate, difference: Paired, mcnemar: McNemar | None = None, against: str = ""
) -> Comparison:
    """The record of a difference; `against` describes the other candidate, such as "the usual default"."""
    return Comparison(
        candidate=ours.name,
        baseline=theirs.name,
        against=against,
        differences=difference.differences,
        difference=difference.difference,
        ci95=difference.ci95,
        seeds_reach=difference.reach.seeds,
        samples_reach=difference.reach.samples,
        p_value=difference.p_value,
        level=difference.level,
        interim_analyses=difference.planned,
        folds=difference.folds,
        test_groups=difference.test_groups,
        mcnemar=mcnemar,
    )


def pooled_discordance(ours: Candidate, theirs: Candidate, trainings: Trainings, scoring: Scoring) -> McNemar | None:
    """McNemar's test on the pooled predictions of all common seeds; None if classes are not what is predicted."""
    if not scoring.task.classes:
        return None
    seeds = _common_seeds(ours, theirs)

    def right(name: str) -> np.ndarray:
        own = [trainings[name, seed] for seed in seeds]
        return np.concatenate([one.test_predictions == scoring.tested_labels(one) for one in own])

    pooled = mcnemar(right(ours.name), right(theirs.name))
    return McNemar(
        only_candidate_right=pooled.only_first, only_baseline_right=pooled.only_second, p_value=pooled.p_value
    )
