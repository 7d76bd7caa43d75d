"""From the trainings of a candidate to its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix

from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.influence import influences
from autoaug.evaluation.statistics import Errors, crossed_errors, estimate_within
from autoaug.results import Candidate
from autoaug.training.metrics import Metric, metric_record, score
from autoaug.training.result import TrialResult
from autoaug.training.tasks import Task


@dataclass(frozen=True, eq=False)
class ConfirmedTraining:
    """What one training of a candidate left behind; see `TrialResult`."""

    validation_predictions: np.ndarray
    test_predictions: np.ndarray
    seconds: float
    validation_statistics: np.ndarray
    test_statistics: np.ndarray

    @classmethod
    def of(cls, result: TrialResult) -> ConfirmedTraining:
        """What a trial left behind that is complete and had a test split."""
        assert result.validation_predictions is not None
        assert result.validation_statistics is not None
        assert result.test_predictions is not None
        assert result.test_statistics is not None
        return cls(
            result.validation_predictions,
            result.test_predictions,
            result.seconds,
            result.validation_statistics,
            result.test_statistics,
        )


#: By the candidate's name and the seed.
Trainings = Mapping[tuple[str, int], ConfirmedTraining]


@dataclass(frozen=True, eq=False)
class Scoring:
    """What candidates are scored by: what is predicted, how that is measured, and what is true.

    Attributes:
        task: what is predicted.
        metric: how good predictions are.
        validation_labels: of the validation split.
        test_labels: of the test split.
        test_groups: the names of the groups that the test samples belong to, where they have any: new samples come in
            new groups, so that each is met with luck as a whole.
        validation_groups: likewise.
    """

    task: Task
    metric: Metric
    validation_labels: np.ndarray
    test_labels: np.ndarray
    test_groups: np.ndarray | None = None
    validation_groups: np.ndarray | None = None

    @property
    def resolution(self) -> float:
        """The step in which scores on the test split come."""
        return 1 / len(self.test_labels)

    def training(self, validation: np.ndarray, test: np.ndarray, seconds: float) -> ConfirmedTraining:
        """A training that left these predictions."""
        statistics = (
            self.metric.statistics(validation, self.validation_labels),
            self.metric.statistics(test, self.test_labels),
        )
        return ConfirmedTraining(validation, test, seconds, *statistics)

    def errors(self, ours: Sequence[ConfirmedTraining], theirs: Sequence[ConfirmedTraining] = ()) -> Errors:
        """Of the mean test score of `ours`, a training per seed, or of its difference to that of `theirs` on the same
        seeds.
        """
        one, other = ([training.test_statistics for training in side] for side in (ours, theirs))
        return _crossed(self.metric, one, other, self.test_groups)

    def validation_errors(self, ours: Sequence[ConfirmedTraining], theirs: Sequence[ConfirmedTraining] = ()) -> Errors:
        """Likewise, on the validation split."""
        one, other = ([training.validation_statistics for training in side] for side in (ours, theirs))
        return _crossed(self.metric, one, other, self.validation_groups)

    def by_class(self, training: ConfirmedTraining) -> list[float]:
        """The score on the test samples of each class, NaN of one without any; empty where there are no classes."""
        strata = self.task.strata(self.test_labels)
        rows = (training.test_statistics[strata == number] for number in range(self.task.classes))
        return [score(self.metric, own) for own in rows]

    def confusion(self, training: ConfirmedTraining) -> np.ndarray:
        """How many test samples of each class are taken for which, ``[classes, classes]``."""
        found: np.ndarray = confusion_matrix(
            self.test_labels, training.test_predictions, labels=np.arange(self.task.classes)
        )
        return found


def _crossed(
    metric: Metric, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], groups: np.ndarray | None
) -> Errors:
    """The errors of a mean over seeds, or of a difference of two, from the statistics of the same samples."""
    clusters = None if groups is None else np.unique(groups, return_inverse=True)[1]
    if clusters is not None and not clusters.any():
        clusters = None  # one group tells nothing of others: its samples are taken for new ones
    values, added = scores(metric, ours), influences(metric, ours, clusters)
    if theirs:
        values, added = values - scores(metric, theirs), added - influences(metric, theirs, clusters)
    return crossed_errors(values.tolist(), added, 1 / len(ours[0]))


def scores(metric: Metric, statistics: Sequence[np.ndarray]) -> np.ndarray:
    """The score of each training, ``[trainings]``."""
    return np.array([score(metric, own) for own in statistics])


def assess(
    candidate_policy: CandidatePolicy, trainings: Trainings, seeds: Sequence[int], scoring: Scoring
) -> Candidate:
    """The scores of a candidate over those of `seeds` that it was trained with, with the interval of the mean on the
    test split. Where there are classes, of each its score, None of one without test samples.
    """
    seeds = [seed for seed in seeds if (candidate_policy.name, seed) in trainings]
    own = [trainings[candidate_policy.name, seed] for seed in seeds]
    validation = [score(scoring.metric, training.validation_statistics) for training in own]
    test = [score(scoring.metric, training.test_statistics) for training in own]
    mean, has_classes = estimate_within(test, scoring.errors(own)), scoring.task.classes > 0
    is_share = metric_record(scoring.metric).is_share
    confusion = np.sum([scoring.confusion(training) for training in own], axis=0)
    by_class = [scoring.by_class(training) for training in own]
    return Candidate(
        name=candidate_policy.name,
        kind=candidate_policy.kind,
        fingerprint=candidate_policy.policy.fingerprint(),
        trial=candidate_policy.trial,
        policy=candidate_policy.policy,
        seeds=tuple(seeds),
        validation_scores=tuple(validation),
        validation_mean=float(np.mean(validation)),
        test_scores=tuple(test),
        mean=mean.mean,
        ci95=(max(0.0, mean.ci95[0]), min(1.0, mean.ci95[1])) if is_share else mean.ci95,
        class_scores=_known(np.mean(by_class, axis=0)) if has_classes else (),
        class_scores_by_seed=tuple(_known(np.array(row)) for row in by_class) if has_classes else (),
        confusion=tuple(tuple(row.tolist()) for row in confusion) if has_classes else (),
        seconds=float(np.mean([training.seconds for training in own])),
    )


def _known(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else value for value in values.tolist())
