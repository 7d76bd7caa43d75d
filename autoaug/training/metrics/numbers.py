"""Metrics of predicted numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoaug.training.metrics.base import AT_LEAST_0, SumMetric


@dataclass(frozen=True)
class RootMeanSquaredError(SumMetric):
    """The square root of the mean squared error, in the unit of the numbers. The statistics of a sample are the mean of
    its squared errors, and a count of 1.
    """

    name: str = "RMSE"
    unit: str = ""
    larger_is_better: bool = False
    bounds: tuple[float, float] = AT_LEAST_0

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        errors = predictions.astype(np.float64) - targets
        return np.stack([np.square(errors).mean(1), np.ones(len(errors))], 1)

    def value(self, total: np.ndarray) -> float:
        return math.sqrt(max(0.0, total[0] / total[1])) if total[1] else float("nan")


@dataclass(frozen=True)
class MeanAbsoluteError(SumMetric):
    """The mean absolute error, in the unit of the numbers. The statistics of a sample are the mean of its errors, and a
    count of 1.
    """

    name: str = "MAE"
    unit: str = ""
    larger_is_better: bool = False
    bounds: tuple[float, float] = AT_LEAST_0

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        errors = predictions.astype(np.float64) - targets
        return np.stack([np.abs(errors).mean(1), np.ones(len(errors))], 1)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


@dataclass(frozen=True)
class Determination(SumMetric):
    """The coefficient of determination, R²: the share of the variance that is predicted, as the mean over the numbers.
    It is negative if the mean predicts better, and not defined for a constant. The statistics of a sample are, for each
    number, its squared error, its value and the square of that, and then a count of 1.

    Attributes:
        means: what the values are counted from, for each number: near their means, because the sums of values far from
            0, such as years, tell nothing of their spread.
    """

    means: tuple[float, ...] = (0.0,)

    name: str = "R²"
    unit: str = ""
    larger_is_better: bool = True
    bounds: tuple[float, float] = (-math.inf, 1.0)

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        errors = predictions - targets.astype(np.float64)
        values = targets.astype(np.float64) - self.means
        return np.concatenate([np.square(errors), values, np.square(values), np.ones((len(errors), 1))], 1)

    def value(self, total: np.ndarray) -> float:
        errors, sums, squares = total[:-1].reshape(3, -1)
        if not total[-1]:
            return float("nan")
        spread = squares - sums**2 / total[-1]
        known = spread > 1e-9 * np.maximum(squares, 1e-300)
        return float((1 - errors / spread).mean()) if known.all() else float("nan")
