"""Metrics, computed from sums of per-sample statistics, so that any interval follows from the stored statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autoaug.results import MetricRecord


class Metric(Protocol):
    """A metric that is a function of sums over samples."""

    @property
    def name(self) -> str:
        """Its name in text, such as ``accuracy``."""

    @property
    def unit(self) -> str:
        """``%`` for a fraction in [0, 1], which is shown in percent; otherwise the text after a value."""

    @property
    def larger_is_better(self) -> bool:
        """Whether larger values are better."""

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """The statistics of each sample, floating point ``[n, k]``."""

    def value(self, total: np.ndarray) -> float:
        """The metric of samples whose statistics have the sum ``total [k]``; NaN without samples."""


@dataclass(frozen=True)
class Accuracy:
    """The fraction of correct predictions; the statistics of a sample are whether it is correct, and a count of 1."""

    name: str = "accuracy"
    unit: str = "%"
    larger_is_better: bool = True

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        right = predictions == targets
        return np.stack([right, np.ones_like(right)], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


def score(metric: Metric, statistics: np.ndarray) -> float:
    """The metric of all samples with these ``statistics [n, k]``, negated if needed so that larger is better."""
    value = metric.value(statistics.sum(0, dtype=np.float64))
    return value if metric.larger_is_better else -value


def metric_record(metric: Metric) -> MetricRecord:
    """The record of the metric for a result."""
    return MetricRecord(name=metric.name, unit=metric.unit, larger_is_better=metric.larger_is_better)
