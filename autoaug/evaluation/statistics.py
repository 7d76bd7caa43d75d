"""The statistics of a confirmation: pure functions of accuracies and predictions."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy import stats


class Estimate(NamedTuple):
    """A mean, its interval, and the p-value of its being 0."""

    mean: float
    ci95: tuple[float, float]
    p_value: float


def estimate(values: list[float], resolution: float, level: float = 0.05) -> Estimate:
    """Student's t estimate of the mean of `values`, one per seed.

    Args:
        values: accuracies, or paired differences of accuracies. One value has an interval from -inf to inf.
        resolution: the step in which they come (1 / number of samples; differences have the same step). Values that
            happen to be equal are only known to lie within a step, so the deviation is not taken to be below that of
            a uniform error of one step.
        level: the chance that the interval misses the mean.
    """
    n = len(values)
    mean = float(np.mean(values))
    if n < 2:
        return Estimate(mean, (-math.inf, math.inf), 1.0)
    deviation = max(float(np.std(values, ddof=1)), resolution / math.sqrt(12))
    error = deviation / math.sqrt(n)
    reach = float(stats.t.isf(level / 2, n - 1)) * error
    p_value = float(2 * stats.t.sf(abs(mean) / error, n - 1))
    return Estimate(mean, (mean - reach, mean + reach), p_value)


class Discordance(NamedTuple):
    """How often only one of two predictors is right, and the exact p-value of their being equally good."""

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> Discordance:
    """McNemar's exact test (1947) on two boolean vectors over the same samples.

    Pooled over seeds the samples are not independent, so the p-value is a second look, not the verdict.
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    total = only_first + only_second
    p_value = float(stats.binomtest(only_first, total).pvalue) if total else 1.0
    return Discordance(only_first, only_second, p_value)
