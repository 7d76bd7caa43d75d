"""The interface of metrics: they are computed from per-sample statistics, so that any interval follows from these."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

import numpy as np

from autoaug.results import MetricRecord
from autoaug.training.tasks import Task

#: The step of differences, as a fraction of the standard error of a sum over samples: so small that a metric is linear
#: over it.
_STEP = 1e-3


#: Values that may be any number, that may not be negative, and that are fractions.
UNBOUNDED, AT_LEAST_0, FRACTION = (-math.inf, math.inf), (0.0, math.inf), (0.0, 1.0)
#: What a user's function returns is no larger: the squares of differences have to be numbers, too.
LARGEST = 1e100


class Metric(Protocol):
    """A metric of a set of samples."""

    @property
    def name(self) -> str:
        """Its name in text, such as ``accuracy``."""

    @property
    def unit(self) -> str:
        """``%`` for a fraction in [0, 1], which is shown in percent; otherwise the text after a value."""

    @property
    def larger_is_better(self) -> bool:
        """Whether larger values are better."""

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value that it can have; infinite where there is none."""

    @property
    def takes_scores(self) -> bool:
        """Whether it is computed from the scores of `Task.predict`, or from what `Task.decide` makes of them."""

    @property
    def class_effect(self) -> float:
        """How much the recall of a class can move the metric, times the number of classes, if all classes count alike;
        0 if they count by their samples. A sample of a class with few of them then weighs a lot.
        """

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The statistics of each sample, floating point ``[n, k]``."""

    def of(self, statistics: np.ndarray) -> float:
        """The metric of the samples with these ``statistics [n, k]``; NaN if it is not defined for them."""

    def influence(self, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        """What each cluster of samples adds to the metric, times the number of clusters, with a mean of 0. The standard
        deviation divided by the square root of that number is the standard error of the metric.

        Args:
            statistics: the statistics of the samples, ``[n, k]``.
            clusters: the index ``[n]`` of each sample's cluster, from 0; None if each sample is a cluster of its own.

        Returns:
            ``[clusters]``.
        """


class SumMetric(ABC):
    """A metric that is a function of sums over samples."""

    takes_scores: bool = False
    class_effect: float = 0.0
    bounds: tuple[float, float] = UNBOUNDED

    @abstractmethod
    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """See `Metric`."""

    @abstractmethod
    def value(self, total: np.ndarray) -> float:
        """The metric of samples whose statistics have the sum ``total [k]``; NaN without samples."""

    def of(self, statistics: np.ndarray) -> float:
        """See `Metric`."""
        return self.value(statistics.sum(0, dtype=np.float64))

    def influence(self, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        """See `Metric`. The metric is linearized at the sums, by central differences (the infinitesimal jackknife;
        Jaeckel, 1972).
        """
        if clusters is not None:
            sums = np.zeros((int(clusters.max()) + 1, statistics.shape[1]))
            np.add.at(sums, clusters, statistics)
            statistics = sums
        count, total = len(statistics), statistics.sum(0, dtype=np.float64)
        steps = _STEP * np.sqrt(((statistics - total / count) ** 2).sum(0))
        gradient = np.zeros(len(total))
        for place, step in enumerate(steps.tolist()):
            if step > 0:  # a statistic that is the same for all samples has no influence
                move = np.zeros(len(total))
                move[place] = step
                gradient[place] = (self.value(total + move) - self.value(total - move)) / (2 * step)
        added = count * (statistics @ gradient)
        centered: np.ndarray = added - added.mean()
        return centered


class Measured(NamedTuple):
    """A metric of some samples: its value, and the `Metric.influence` of each sample, ``[n]``."""

    value: float
    influence: np.ndarray


def measured(metric: Metric, task: Task, scores: np.ndarray, targets: np.ndarray) -> Measured:
    """The metric of samples with these ``scores [n, …]``, as `Task.predict` gives them."""
    statistics = statistics_of(metric, task, scores, targets)
    return Measured(metric.of(statistics), metric.influence(statistics))


def statistics_of(metric: Metric, task: Task, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The statistics ``[n, k]`` of samples with these ``scores [n, …]``, as `Task.predict` gives them."""
    return metric.statistics(scores if metric.takes_scores else task.decide(scores), targets)


def score(metric: Metric, statistics: np.ndarray) -> float:
    """The metric of all samples with these ``statistics [n, k]``, negated if needed so that larger is better."""
    value = metric.of(statistics)
    return value if metric.larger_is_better else -value


def fraction_kept(metric: Metric, score: float, clean: float) -> float:
    """How much of the score `clean` is left in `score`, 1 if they are equal. If the metric is a loss or a likelihood,
    of which 0 is the best, it is the ratio the other way round: a loss twice as large keeps a half.
    """
    is_loss = not metric.larger_is_better or score_bounds(metric)[1] == 0
    better, worse = (-clean, -score) if is_loss else (score, clean)
    return max(0.0, better) / max(worse, 1e-6)


def score_bounds(metric: Metric) -> tuple[float, float]:
    """The least and the largest `score` that the metric can have."""
    low, high = sorted(bound if metric.larger_is_better else -bound for bound in metric.bounds)
    return low, high


def metric_record(metric: Metric) -> MetricRecord:
    """The record of the metric for a result."""
    return MetricRecord(name=metric.name, unit=metric.unit, larger_is_better=metric.larger_is_better)


def by_cluster(influence: np.ndarray, clusters: np.ndarray | None) -> np.ndarray:
    """The influence of clusters from that of their samples: ``[clusters]`` from ``[n]``."""
    if clusters is None:
        return influence
    count = int(clusters.max()) + 1
    summed: np.ndarray = np.bincount(clusters, influence, count) * (count / len(influence))
    return summed
