"""The statistics of a confirmation: pure functions of scores, of what samples add to them, and of predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtri, stdtr, stdtrit

from autoaug.results import Verdict

#: The chance of a wrong claim, over all interim analyses together.
ERROR = 0.05
#: Smaller p-values than ten to this are not told apart.
_LEAST_POWER = -100.0


class Reach(NamedTuple):
    """Half the width of an interval, in the two parts that it is made of: they add up in squares.

    Attributes:
        seeds: what would go with more seeds.
        samples: what would go only with more test samples.
    """

    seeds: float
    samples: float

    @property
    def total(self) -> float:
        """Half the width of the interval."""
        return math.hypot(self.seeds, self.samples)


@dataclass(frozen=True)
class Errors:
    """Standard errors of a mean over seeds and test samples, which come from both, independently.

    Attributes:
        seeds: of the luck of the seeds; more of them would shrink it.
        seeds_freedom: the degrees of freedom of that estimate.
        samples: of the luck of the test samples; only more of those would shrink it.
        samples_freedom: likewise.
    """

    seeds: float
    seeds_freedom: float
    samples: float = 0.0
    samples_freedom: float = math.inf

    @property
    def total(self) -> float:
        """The standard error."""
        return math.hypot(self.seeds, self.samples)

    def reach(self, level: float = ERROR, samples_level: float | None = None) -> Reach:
        """How far an interval reaches that misses the mean with chance `level`: Student's t of each part, the squares
        added (Zou and Donner, 2008, for symmetric intervals).

        Args:
            level: of the seeds' part; with interim analyses it is the level of this one.
            samples_level: of the samples' part, None for `level`. Test samples are the same at every interim analysis,
                so their luck is met once, however often the data are looked at.
        """
        samples_level = level if samples_level is None else samples_level
        samples = _quantile(samples_level, self.samples_freedom) * self.samples if self.samples else 0.0
        return Reach(_quantile(level, self.seeds_freedom) * self.seeds, samples)

    def p_value(self, mean: float) -> float:
        """The chance of a mean as far from 0, if that is the truth: the level at which the interval ends at 0."""
        if mean == 0 or math.isinf(self.total):
            return 1.0
        if not self.samples:
            return float(2 * stdtr(self.seeds_freedom, -abs(mean) / self.seeds))
        if abs(mean) >= self.reach(10**_LEAST_POWER).total:
            return float(10**_LEAST_POWER)
        power = brentq(lambda power: self.reach(10**power).total - abs(mean), _LEAST_POWER, 0.0, xtol=1e-10)
        return float(10**power)


def _quantile(level: float, freedom: float) -> float:
    """What Student's t exceeds to either side with chance `level`."""
    return float(-(ndtri(level / 2) if math.isinf(freedom) else stdtrit(freedom, level / 2)))


def seed_errors(values: Sequence[float], resolution: float) -> Errors:
    """Of the mean of one value per seed; of test samples nothing is known, and of a single seed neither.

    Args:
        values: scores, or paired differences of scores.
        resolution: the step in which they come (1 / number of samples; differences have the same step). Values that
            happen to be equal are only known to lie within a step, so the deviation is not taken to be below that of
            a uniform error of one step.
    """
    if len(values) < 2:
        return Errors(math.inf, 1)
    return Errors(_deviation(values, resolution) / math.sqrt(len(values)), len(values) - 1)


def crossed_errors(values: Sequence[float], influence: np.ndarray, resolution: float) -> Errors:
    """Of the mean of `values` where every seed meets the same test samples: seeds and samples are crossed.

    A cell of the table of seeds by samples is taken to be the sum of the mean, an effect of the seed, one of the
    sample, and a rest. The deviation between seeds has the seeds' effects and the rest in it. The deviation between the
    means of samples over the seeds has the samples' effects and the rest in it, which is taken off (the analysis of
    variance of two crossed random effects; Owen, 2007, resamples the same two ways).

    Few samples may differ at all; the effective number of those that do, ``(Σ m²)² / Σ m⁴``, less one, is the degrees
    of freedom of their part (as for clusters of uneven weight: Carter, Schnepel and Steigerwald, 2017).

    Args:
        values: as for `seed_errors`.
        influence: ``[seeds, clusters]``, what each cluster of test samples adds to the value of each seed, times the
            number of clusters, centered for each seed; see `autoaug.evaluation.influence`.
        resolution: as for `seed_errors`.
    """
    seeds, clusters = influence.shape
    means = influence.mean(0)
    rest = float(((influence - means) ** 2).sum()) / max(1, (seeds - 1) * (clusters - 1))
    squares, fourths = float((means**2).sum()), float((means**4).sum())
    variance = max(0.0, squares / max(1, clusters - 1) - rest / seeds)
    effective = squares**2 / fourths if fourths else float(clusters)
    own = seed_errors(values, resolution)
    return Errors(own.seeds, own.seeds_freedom, math.sqrt(variance / clusters), max(1.0, effective - 1))


def corrected_errors(values: Sequence[float], resolution: float, test_share: float) -> Errors:
    """Of the mean of `values` where every seed has a split of its own, whose training parts overlap: the factor 1 / S
    of the variance becomes 1 / S + `test_share` (Nadeau and Bengio, 2003). More seeds shrink the first part alone.

    Args:
        values: as for `seed_errors`.
        resolution: as for `seed_errors`, with the samples of one test split.
        test_share: the number of test samples of a split over that of its training samples.
    """
    own, deviation = seed_errors(values, resolution), _deviation(values, resolution)
    return Errors(own.seeds, own.seeds_freedom, deviation * math.sqrt(test_share), own.seeds_freedom)


def _deviation(values: Sequence[float], resolution: float) -> float:
    return max(float(np.std(values, ddof=1)), resolution / math.sqrt(12))


class Estimate(NamedTuple):
    """A mean, its interval, and the p-value of its being 0."""

    mean: float
    ci95: tuple[float, float]
    p_value: float


def estimate(values: Sequence[float], resolution: float, level: float = ERROR) -> Estimate:
    """Student's t estimate of the mean of `values`, one per seed, which come in steps of `resolution`; see
    `seed_errors`. It knows of no luck but the seeds'. One value has an interval from -inf to inf.
    """
    return estimate_within(values, seed_errors(values, resolution), level)


def estimate_within(values: Sequence[float], errors: Errors, level: float = ERROR) -> Estimate:
    """The mean of `values`, one per seed, with the interval that misses it with chance `level`."""
    mean, reach = float(np.mean(values)), errors.reach(level).total
    return Estimate(mean, (mean - reach, mean + reach), errors.p_value(mean))


def verdict_of(interval: tuple[float, float]) -> Verdict:
    """What the interval of a difference allows to be said."""
    low, high = interval
    if low <= 0 <= high:
        return "no significant difference"
    return "better" if low > 0 else "worse"


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
