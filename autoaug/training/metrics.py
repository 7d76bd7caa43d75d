"""How good predictions are: numbers per sample that add up, so that any interval follows from what is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autoaug.results import MetricRecord


class Metric(Protocol):
    """A measure of predictions that follows from sums over samples."""

    @property
    def name(self) -> str:
        """In words, as in ``accuracy``."""

    @property
    def unit(self) -> str:
        """``%`` of a share in [0, 1], which is shown in percent; otherwise what stands behind a value."""

    @property
    def larger_is_better(self) -> bool:
        """Whether larger values are better ones."""

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """What each sample adds, floating point ``[n, k]``."""

    def value(self, total: np.ndarray) -> float:
        """The measure of samples whose statistics have the sum ``total [k]``; NaN of no samples."""


@dataclass(frozen=True)
class Accuracy:
    """The share of the samples whose prediction is right; per sample whether it is, and a 1 for the sample."""

    name: str = "accuracy"
    unit: str = "%"
    larger_is_better: bool = True

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        right = predictions == targets
        return np.stack([right, np.ones_like(right)], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


def score(metric: Metric, statistics: np.ndarray) -> float:
    """The measure of all samples with these ``statistics [n, k]``, turned so that larger is better."""
    value = metric.value(statistics.sum(0, dtype=np.float64))
    return value if metric.larger_is_better else -value


def metric_record(metric: Metric) -> MetricRecord:
    """The metric as it stands in a result."""
    return MetricRecord(name=metric.name, unit=metric.unit, larger_is_better=metric.larger_is_better)
