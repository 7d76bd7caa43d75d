"""The scores of a candidate, from its trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from sklearn.metrics import confusion_matrix

from autoaug.data.labels import kind_of
from autoaug.data.splits import count_groups
from autoaug.evaluation.clusters import Clusters
from autoaug.evaluation.confirmation import CandidatePolicy
from autoaug.evaluation.statistics import Errors, clipped, corrected_errors, crossed_errors, estimate_within
from autoaug.results import Candidate, MetricValues
from autoaug.training.metrics import Measured, Metric, metric_record, metrics_of, score, score_bounds
from autoaug.training.result import TrialResult
from autoaug.training.tasks import Task

#: Scores of predicted numbers move by any amount, in a unit that is not known, as do losses of probabilities and users'
#: metrics of these; this keeps equal ones apart from 0.
_FINEST = 1e-9


@dataclass(frozen=True, eq=False)
class ConfirmedTraining:
    """The outcome of one training of a candidate; see `TrialResult`. It was tested on the samples at `test_rows` of the
    test split: a fold if there are folds, otherwise all.
    """

    validation_predictions: np.ndarray
    test_predictions: np.ndarray
    seconds: float
    validation_statistics: np.ndarray
    test_statistics: np.ndarray
    test_rows: np.ndarray
    test_measured: Mapping[str, Measured] = field(default_factory=dict)

    @classmethod
    def of(cls, result: TrialResult, test_rows: np.ndarray) -> ConfirmedTraining:
        """The outcome of a complete trial that was tested on these rows of the test split."""
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
            test_rows,
            result.test_measured,
        )


#: By the candidate's name and the seed.
Trainings = Mapping[tuple[str, int], ConfirmedTraining]


@dataclass(frozen=True, eq=False)
class Scoring:
    """How candidates are scored.

    Attributes:
        task: what is predicted.
        metric: how it is measured.
        validation_labels: the labels of the validation split, or, if there are `validation_folds`, of all samples that
            are validated on.
        test_labels: the labels of the test split.
        test_groups: the names of the groups of the test samples, None without groups. New samples come in new groups,
            so the groups are what luck comes in.
        validation_groups: the same for the samples of `validation_labels`.
        folds: the rows of the test split that each seed is tested on, if there are folds; otherwise empty.
        validation_folds: the rows of `validation_labels` that each seed is validated on, if there are folds; otherwise
            empty.
    """

    task: Task
    metric: Metric
    validation_labels: np.ndarray
    test_labels: np.ndarray
    test_groups: np.ndarray | None = None
    validation_groups: np.ndarray | None = None
    folds: Mapping[int, np.ndarray] = field(default_factory=dict)
    validation_folds: Mapping[int, np.ndarray] = field(default_factory=dict)
    #: By the identity of the statistics of a training, these, their score and their influence.
    _known: dict[int, tuple[np.ndarray, float, np.ndarray]] = field(default_factory=dict, init=False, repr=False)

    def _step(self, metric: Metric, tested: int) -> float:
        """The step between possible values of a metric of so many samples."""
        has_own_unit = metric.takes_scores and not np.isfinite(metric.bounds).all()
        is_number = kind_of(self.test_labels) in ("regression", "translation")
        return _FINEST if is_number or has_own_unit else 1 / tested

    @property
    def fold_count(self) -> int | None:
        """The number of folds; None if all seeds are tested on the whole test split."""
        return _count(self.folds, self.test_labels)

    @property
    def group_count(self) -> int | None:
        """The number of groups in the test split; None without groups."""
        return count_groups(self.test_groups)

    def rows(self, seed: int) -> np.ndarray:
        """The rows of the test split that trainings with that seed are tested on."""
        return self.folds[seed] if self.folds else np.arange(len(self.test_labels))

    def validation_size(self, seed: int) -> int:
        """The number of samples that trainings with that seed are validated on."""
        return len(self.validation_folds.get(seed, self.validation_labels))

    def tested_labels(self, training: ConfirmedTraining) -> np.ndarray:
        """The labels of the samples that `training` was tested on."""
        labels: np.ndarray = self.test_labels[training.test_rows]
        return labels

    def errors(self, ours: Sequence[ConfirmedTraining], theirs: Sequence[ConfirmedTraining] = ()) -> Errors:
        """The errors of the mean test score of `ours`, one training per seed, or of its difference from that of
        `theirs` on the same seeds.

        With K folds, each seed is tested on one and trained on the K - 1 others and the training split, which is the
        same for all seeds and does not count. Groups then enter through the folds alone: a group is in one fold, so the
        values of the seeds vary with the luck of the groups.
        """
        one, other = ([training.test_statistics for training in side] for side in (ours, theirs))
        if self.fold_count is None:
            table = self._table(one, other, self._tested)
            return crossed_errors(*table, self._step(self.metric, len(one[0])), self._tested.least_reach)
        return self._fold_errors(_leads(self.metric, one, other), len(one[0]), self._tested)

    def _fold_errors(self, values: Sequence[float], tested: int, clusters: Clusters) -> Errors:
        """The errors of a mean over seeds that were each tested on a fold of `tested` samples."""
        assert self.fold_count is not None
        step, whole = (self._step(clusters.metric, count) for count in (tested, len(self.test_labels)))
        share = 1 / (self.fold_count - 1)
        return corrected_errors(values, step, share, 1 / whole, self.group_count, clusters.least_reach)

    def measured_errors(self, metric: Metric, ours: Sequence[Measured]) -> Errors:
        """The errors of the mean of a metric, whether or not it is the one that candidates are judged by."""
        values, tested = [one.value for one in ours], len(ours[0].influence)
        clusters = Clusters.of(metric, self.test_labels, self.test_groups)
        if self.fold_count is not None:
            return self._fold_errors(values, tested, clusters)
        added = np.stack([clusters.sums(one.influence) for one in ours])
        return crossed_errors(values, added, self._step(metric, tested), clusters.least_reach)

    def validation_errors(self, ours: Sequence[ConfirmedTraining], theirs: Sequence[ConfirmedTraining] = ()) -> Errors:
        """The same for the validation samples, where a bet must be made on what can be told. If all of them are one
        group, that is the luck of the samples within the group. What a class with few samples may hide is not bet on.
        """
        one, other = ([training.validation_statistics for training in side] for side in (ours, theirs))
        count, metric = _count(self.validation_folds, self.validation_labels), self.metric
        step, whole = (self._step(metric, own) for own in (len(one[0]), len(self.validation_labels)))
        if count is not None:
            groups = count_groups(self.validation_groups)
            return corrected_errors(_leads(metric, one, other), step, 1 / (count - 1), 1 / whole, groups)
        return crossed_errors(*self._table(one, other, self._validated), step)

    @cached_property
    def _tested(self) -> Clusters:
        """The clusters of the test split."""
        return Clusters.of(self.metric, self.test_labels, self.test_groups)

    @cached_property
    def _validated(self) -> Clusters:
        """The clusters of the validation samples."""
        groups = self.validation_groups
        is_one = groups is None or len(np.unique(groups)) < 2
        return Clusters.of(self.metric, self.validation_labels, None if is_one else groups)

    def _table(
        self, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], clusters: Clusters
    ) -> tuple[list[float], np.ndarray]:
        """The values of the seeds, or their differences from those of `theirs`, and what each cluster adds to them,
        ``[seeds, clusters]``, from the statistics of the same samples.
        """

        def table(side: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
            values, added = zip(*(self._influence(statistics, clusters) for statistics in side), strict=True)
            return np.array(values), np.stack(added)

        values, added = table(ours)
        if theirs:
            others, taken = table(theirs)
            values, added = values - others, added - taken
        return values.tolist(), added

    def _influence(self, statistics: np.ndarray, clusters: Clusters) -> tuple[float, np.ndarray]:
        """The score and what each cluster adds to it, computed once: a user's metric may take a second."""
        known = self._known.get(id(statistics))
        if known is None or known[0] is not statistics:
            known = statistics, score(clusters.metric, statistics), clusters.added(statistics)
            self._known[id(statistics)] = known
        return known[1:]

    def by_class(self, training: ConfirmedTraining) -> list[float]:
        """The recall of each class: the share of its test samples that were recognized, NaN for a class without any;
        empty without classes.
        """
        labels = self.tested_labels(training)
        rows = (training.test_predictions[labels == number] == number for number in range(self.task.classes))
        return [float(own.mean()) if len(own) else float("nan") for own in rows]

    def recognized(self, trainings: Sequence[ConfirmedTraining]) -> np.ndarray:
        """For each test sample, the share ``[n]`` of trainings that predicted it correctly, among those tested on it; 0
        if there are none.
        """
        rows = np.concatenate([training.test_rows for training in trainings])
        right = np.concatenate([training.test_predictions for training in trainings]) == self.test_labels[rows]
        counts = np.bincount(rows, minlength=len(self.test_labels))
        share: np.ndarray = np.bincount(rows, right, len(counts)) / np.maximum(1, counts)
        return share

    def confusion(self, training: ConfirmedTraining) -> np.ndarray:
        """The number of test samples by class and predicted class, ``[classes, classes]``."""
        counts: np.ndarray = confusion_matrix(
            self.tested_labels(training), training.test_predictions, labels=np.arange(self.task.classes)
        )
        return counts


def _count(folds: Mapping[int, np.ndarray], labels: np.ndarray) -> int | None:
    """How many folds the samples with these labels have; None if there are no folds."""
    scored = sum(map(len, folds.values()))
    return round(len(labels) * len(folds) / scored) if scored else None


def _leads(metric: Metric, ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray]) -> list[float]:
    """The score of each training by its statistics, less that of `theirs` with the same seed, if there are any."""
    own = scores(metric, ours)
    leads: list[float] = (own - scores(metric, theirs) if theirs else own).tolist()
    return leads


def scores(metric: Metric, statistics: Sequence[np.ndarray]) -> np.ndarray:
    """The score of each training, ``[trainings]``."""
    return np.array([score(metric, own) for own in statistics])


def assess(
    candidate_policy: CandidatePolicy, trainings: Trainings, seeds: Sequence[int], scoring: Scoring
) -> Candidate:
    """A candidate with its scores over those of the `seeds` that it was trained with, and the interval of the mean on
    the test split. With classes, it has the recall of each, None for a class without test samples.
    """
    seeds = [seed for seed in seeds if (candidate_policy.name, seed) in trainings]
    own = [trainings[candidate_policy.name, seed] for seed in seeds]
    validation = [score(scoring.metric, training.validation_statistics) for training in own]
    test = [score(scoring.metric, training.test_statistics) for training in own]
    mean, has_classes = estimate_within(test, scoring.errors(own)), scoring.task.classes > 0
    confusion = np.sum([scoring.confusion(training) for training in own], axis=0) if has_classes else ()
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
        ci95=clipped(mean.ci95, score_bounds(scoring.metric)),
        metrics=_all_metrics(own, scoring),
        class_scores=_known(_means(np.array(by_class))) if has_classes else (),
        class_scores_by_seed=tuple(_known(np.array(row)) for row in by_class) if has_classes else (),
        confusion=tuple(tuple(row.tolist()) for row in confusion) if has_classes else (),
        seconds=float(np.mean([training.seconds for training in own])),
    )


def _all_metrics(trainings: Sequence[ConfirmedTraining], scoring: Scoring) -> dict[str, MetricValues]:
    """All metrics of the task that are defined for every training and have an interval: a single seed gives none."""
    found: dict[str, MetricValues] = {}
    if len(trainings) < 2:
        return found
    for name, metric in metrics_of(scoring.task).items():
        own = [training.test_measured[name] for training in trainings if name in training.test_measured]
        if len(own) < len(trainings) or not np.isfinite([one.value for one in own]).all():
            continue
        record, values = metric_record(metric), tuple(one.value for one in own)
        mean = estimate_within(values, scoring.measured_errors(metric, own))
        found[name] = MetricValues(
            metric=record,
            values=values,
            mean=mean.mean,
            ci95=clipped(mean.ci95, metric.bounds),
        )
    return found


def _means(rows: np.ndarray) -> np.ndarray:
    """The mean ``[k]`` of each column of ``[n, k]``, ignoring NaN; NaN if all values are."""
    counts = (~np.isnan(rows)).sum(0)
    means: np.ndarray = np.where(counts, np.nansum(rows, axis=0) / np.maximum(1, counts), np.nan)
    return means


def _known(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(None if np.isnan(value) else value for value in values.tolist())
