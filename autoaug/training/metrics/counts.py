"""Metrics of classes that were predicted: functions of how often each class was taken for each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from autoaug.training.metrics.base import FRACTION, SumMetric, by_cluster


@dataclass(frozen=True)
class Accuracy(SumMetric):
    """The fraction of correct predictions; the statistics of a sample are whether it is correct, and a count of 1."""

    name: str = "accuracy"
    unit: str = "%"
    larger_is_better: bool = True
    bounds: tuple[float, float] = FRACTION

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        right = predictions == targets
        return np.stack([right, np.ones_like(right)], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


class ConfusionMetric(ABC):
    """A metric of the confusion matrix, which counts samples by class and predicted class. The statistics of a sample
    are these two.
    """

    takes_scores: bool = False
    larger_is_better: bool = True
    class_effect: float = 1.0
    bounds: tuple[float, float] = FRACTION

    @abstractmethod
    def value(self, confusion: np.ndarray) -> float:
        """The metric of ``confusion [classes, classes]``; NaN if it is not defined."""

    @abstractmethod
    def gradient(self, confusion: np.ndarray) -> np.ndarray:
        """The derivative of the metric by each entry of the matrix with samples, up to a constant."""

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.stack([targets, predictions], 1).astype(np.float64)

    def of(self, statistics: np.ndarray) -> float:
        return self.value(_confusion(statistics)) if len(statistics) else float("nan")

    def influence(self, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        target, predicted = statistics.astype(np.int64).T
        added = len(statistics) * self.gradient(_confusion(statistics))[target, predicted]
        return by_cluster(added - added.mean(), clusters)


def _confusion(statistics: np.ndarray) -> np.ndarray:
    target, predicted = statistics.astype(np.int64).T
    classes = int(max(target.max(), predicted.max())) + 1
    counts = np.bincount(target * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes).astype(np.float64)


@dataclass(frozen=True)
class BalancedAccuracy(ConfusionMetric):
    """The mean recall of the classes that have samples (Brodersen et al., 2010)."""

    name: str = "balanced accuracy"
    unit: str = "%"

    def value(self, confusion: np.ndarray) -> float:
        counts = confusion.sum(1)
        return float((confusion.diagonal()[counts > 0] / counts[counts > 0]).mean())

    def gradient(self, confusion: np.ndarray) -> np.ndarray:
        counts = confusion.sum(1)
        recall = _ratio(confusion.diagonal(), counts)
        return _ratio(np.eye(len(counts)) - recall[:, None], (counts > 0).sum() * counts[:, None])


@dataclass(frozen=True)
class MacroF1(ConfusionMetric):
    """The mean F1, over the classes that have samples: the harmonic mean of precision and recall."""

    name: str = "macro F1"
    unit: str = "%"

    def value(self, confusion: np.ndarray) -> float:
        counts, both = confusion.sum(1), confusion.sum(1) + confusion.sum(0)
        return float(_ratio(2 * confusion.diagonal(), both)[counts > 0].mean())

    def gradient(self, confusion: np.ndarray) -> np.ndarray:
        counts, both = confusion.sum(1), confusion.sum(1) + confusion.sum(0)
        loss = np.where(counts > 0, _ratio(2 * confusion.diagonal(), both**2), 0.0)
        gain = np.diag(_ratio(2 * np.ones(len(both)), both))
        derivative: np.ndarray = (gain - loss[:, None] - loss) / (counts > 0).sum()
        return derivative


@dataclass(frozen=True)
class Kappa(ConfusionMetric):
    """Cohen's kappa (1960): accuracy beyond that of chance, given how often each class occurs and is predicted. It is
    not defined if only one class occurs and is predicted.
    """

    name: str = "kappa"
    unit: str = ""
    class_effect: float = 2.0
    bounds: tuple[float, float] = (-1.0, 1.0)

    def value(self, confusion: np.ndarray) -> float:
        right, chance = _agreement(confusion)
        return float((right - chance) / (1 - chance)) if chance < 1 else float("nan")

    def gradient(self, confusion: np.ndarray) -> np.ndarray:
        (right, chance), count = _agreement(confusion), confusion.sum()
        by_chance = (confusion.sum(0)[:, None] + confusion.sum(1)) / count**2
        derivative: np.ndarray = np.eye(len(confusion)) / count - by_chance * (1 - right) / (1 - chance)
        return derivative / (1 - chance)


def _agreement(confusion: np.ndarray) -> tuple[float, float]:
    """The accuracy, and the accuracy of independent predictions of the same frequencies."""
    count = confusion.sum()
    return float(confusion.trace() / count), float(confusion.sum(1) @ confusion.sum(0) / count**2)


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    """The ratio, 0 where both are 0."""
    ratio: np.ndarray = over / np.where(under > 0, under, 1.0)
    return np.where(under > 0, ratio, 0.0)
