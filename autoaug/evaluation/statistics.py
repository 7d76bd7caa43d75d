"""The statistics of a confirmation: pure functions of scores, of what samples add to them, and of predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtri, stdtr, stdtrit

from autoaug.results import Verdict

#: The chance of a wrong claim, over all interim analyses together.
ERROR = 0.05
#: Fewer seeds say next to nothing about their luck: with two, Student's t makes an interval of 13 standard errors.
FEWEST_SEEDS = 3
#: P-values below ten to this power are reported as that.
_LEAST_POWER = -100.0
#: With this few clusters no residuals are subtracted; see `crossed_errors`.
_PAIR = 2
#: The half width of a normal 95 % interval, in standard errors.
_NORMAL = 1.96
#: Where none of n samples differs, up to so many of n new ones still may (the rule of three; Hanley and Lippman-Hand,
#: 1983).
THREE = 3


class Reach(NamedTuple):
    """Half the width of an interval, in two parts whose squares add up.

    Attributes:
        seeds: the part that more seeds would shrink.
        samples: the part that only more test samples would shrink.
    """

    seeds: float
    samples: float

    @property
    def total(self) -> float:
        """Half the width of the interval."""
        return math.hypot(self.seeds, self.samples)


@dataclass(frozen=True)
class Errors:
    """Standard errors of a mean over seeds and test samples, whose luck is independent.

    Attributes:
        seeds: the standard error from the luck of the seeds; more seeds would shrink it.
        seeds_freedom: the degrees of freedom of that estimate.
        samples: the standard error from the luck of the test samples; only more of those would shrink it. It is
            infinite if nothing is known about it.
        samples_freedom: the degrees of freedom of that estimate.
    """

    seeds: float
    seeds_freedom: float
    samples: float = 0.0
    samples_freedom: float = math.inf

    @property
    def total(self) -> float:
        """The standard error of the mean."""
        return math.hypot(self.seeds, self.samples)

    def reach(self, level: float = ERROR, samples_level: float | None = None) -> Reach:
        """Half the width of an interval that misses the mean with probability `level`: Student's t for each part, and
        the squares added (Zou and Donner, 2008, for symmetric intervals).

        Args:
            level: the level of the seeds' part; with interim analyses it is the level of this one.
            samples_level: the level of the samples' part, None for `level`. Test samples are the same at every interim
                analysis, so their luck is met once, however often the data are looked at.
        """
        samples_level = level if samples_level is None else samples_level
        samples = _quantile(samples_level, self.samples_freedom) * self.samples if self.samples else 0.0
        return Reach(_quantile(level, self.seeds_freedom) * self.seeds, samples)

    def p_value(self, mean: float) -> float:
        """The probability of a mean at least as far from 0 if the true mean is 0: the level at which the interval ends
        at 0.
        """
        if mean == 0 or math.isinf(self.total):
            return 1.0
        if not self.samples:
            return float(2 * stdtr(self.seeds_freedom, -abs(mean) / self.seeds))
        if abs(mean) >= self.reach(10**_LEAST_POWER).total:
            return float(10**_LEAST_POWER)
        power = brentq(lambda power: self.reach(10**power).total - abs(mean), _LEAST_POWER, 0.0, xtol=1e-10)
        return float(10**power)


def _quantile(level: float, freedom: float) -> float:
    """The value that the absolute value of Student's t exceeds with probability `level`."""
    return float(-(ndtri(level / 2) if math.isinf(freedom) else stdtrit(freedom, level / 2)))


def seed_errors(values: Sequence[float], resolution: float) -> Errors:
    """The errors of the mean of one value per seed, without the luck of the test samples. With a single value, the
    error is infinite.

    Args:
        values: scores, or paired differences of scores.
        resolution: the step between possible values (1 / number of samples; differences have the same step). Equal
            values are only known to lie within one step, so the deviation is at least that of a uniform error of one
            step.
    """
    if len(values) < 2:
        return Errors(math.inf, 1)
    deviation = max(float(np.std(values, ddof=1)), resolution / math.sqrt(12))
    return Errors(deviation / math.sqrt(len(values)), len(values) - 1)


def crossed_errors(
    values: Sequence[float], influence: np.ndarray, resolution: float, least_reach: float = 0.0
) -> Errors:
    """The errors of the mean of `values` if every seed is tested on the same samples: seeds and samples are crossed.

    The model of a cell of the table of seeds by clusters is the sum of the mean, an effect of the seed, an effect of
    the cluster, and a residual. The variance between seeds includes the residuals. So does the variance between the
    clusters' means over the seeds, from which they are subtracted (the analysis of variance of two crossed random
    effects; Owen, 2007, resamples the same two ways). The difference may be negative; then the luck of the samples
    cannot be told apart from the noise of the seeds, and its error is 0.

    Student's t for the samples' part has one degree of freedom less than the effective number of clusters, ``(Σ m²)² /
    Σ m⁴``, where m are the clusters' means (as for clusters of uneven weight: Carter, Schnepel and Steigerwald, 2017).
    It is at most the number of clusters, and small if only a few clusters differ at all.

    With two clusters nothing is subtracted, because the difference would be negative too often: in a simulation with
    five seeds and residuals as large as the clusters' effects, an interval at 95 % held the truth in 91 %, and in 98 %
    without the subtraction. One cluster says nothing about others, so the error is infinite. Where no cluster differs
    from the others in any seed, up to three of as many new ones still may; see `THREE`. Where a few differ, the
    estimate itself is luck, so half of the interval is never narrower than three samples.

    Args:
        values: as for `seed_errors`.
        influence: ``[seeds, clusters]``, what each cluster of test samples adds to the value of each seed, times the
            number of clusters, centered for each seed; see `autoaug.evaluation.clusters`.
        resolution: as for `seed_errors`.
        least_reach: half of the interval is never narrower than this either; see `Clusters.least_reach`.
    """
    seeds, clusters = influence.shape
    own = seed_errors(values, resolution)
    if clusters < 2:
        return replace(own, samples=math.inf, samples_freedom=1.0)
    means = influence.mean(0)
    residual = float(((influence - means) ** 2).sum()) / max(1, (seeds - 1) * (clusters - 1))
    squares, fourths = float((means**2).sum()), float((means**4).sum())
    variance = squares / (clusters - 1) - (residual / seeds if clusters > _PAIR else 0.0)
    effective = squares**2 / fourths if fourths else float(clusters)
    samples, freedom = math.sqrt(max(0.0, variance) / clusters), max(1.0, effective - 1)
    least = max(least_reach, THREE * (resolution if influence.any() else 1 / clusters))
    is_grouped = clusters * resolution < 1 - 1e-9
    return _at_least(least, are_few=is_grouped, errors=replace(own, samples=samples, samples_freedom=freedom))


def corrected_errors(
    values: Sequence[float],
    resolution: float,
    test_share: float,
    tested: float = math.inf,
    groups: int | None = None,
    least_reach: float = 0.0,
) -> Errors:
    """The errors of the mean of `values` if each of S seeds has a split of its own and the training parts overlap: the
    factor 1 / S of the variance becomes 1 / S + `test_share` (Nadeau and Bengio, 2003). More seeds shrink only the
    first term. The second one is the samples' part: it shrinks with more data, since the values then vary less.

    However often few groups are divided into folds, they remain the same few: the degrees of freedom are at most one
    less than their number. And as in `crossed_errors`, half of the interval is never narrower than three samples.

    Args:
        values: as for `seed_errors`.
        resolution: as for `seed_errors`, with the samples of one test split.
        test_share: the number of test samples of a split, divided by the number of its training samples.
        tested: the number of different samples that are tested over all splits; infinite if that is no bound.
        groups: the number of groups that they are in; None if each is its own.
        least_reach: as for `crossed_errors`.
    """
    own = seed_errors(values, resolution)
    samples = own.seeds * math.sqrt(len(values) * test_share)
    freedom = own.seeds_freedom if groups is None else max(1.0, min(own.seeds_freedom, groups - 1.0))
    least = max(least_reach, THREE / tested)
    return _at_least(least, are_few=True, errors=replace(own, samples=samples, samples_freedom=freedom))


def _at_least(reach: float, *, are_few: bool, errors: Errors) -> Errors:
    """The errors, with those of the samples so large that half of an interval is at least `reach`. Few groups or folds
    keep their few degrees of freedom, however alike they look. The same degrees of a few samples that differ would make
    a single one look more uncertain than none.
    """
    known = errors.reach().samples if are_few else _NORMAL * errors.samples
    return errors if known >= reach else replace(errors, samples=reach / _NORMAL, samples_freedom=math.inf)


class Estimate(NamedTuple):
    """A mean and its interval."""

    mean: float
    ci95: tuple[float, float]


def estimate(values: Sequence[float], resolution: float, level: float = ERROR) -> Estimate:
    """Student's t estimate of the mean of `values`, one per seed, in steps of `resolution`; see `seed_errors`. It only
    allows for the luck of the seeds. With one value, the interval is from -inf to inf.
    """
    return estimate_within(values, seed_errors(values, resolution), level)


def estimate_within(values: Sequence[float], errors: Errors, level: float = ERROR) -> Estimate:
    """The mean of `values`, one per seed, with the interval that misses the truth with probability `level`."""
    mean, reach = float(np.mean(values)), errors.reach(level).total
    return Estimate(mean, (mean - reach, mean + reach))


def clipped(interval: tuple[float, float], bounds: tuple[float, float]) -> tuple[float, float]:
    """The part of an interval within the bounds of what it is of."""
    return max(bounds[0], interval[0]), min(bounds[1], interval[1])


def verdict_of(interval: tuple[float, float]) -> Verdict:
    """The verdict that the interval of a difference allows; one that is not a number allows none."""
    low, high = interval
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no significant difference"


class Discordance(NamedTuple):
    """How often only one of two predictors is right, and the exact p-value of the hypothesis that they are equally
    good.
    """

    only_first: int
    only_second: int
    p_value: float


def mcnemar(first_right: np.ndarray, second_right: np.ndarray) -> Discordance:
    """McNemar's exact test (1947) on two boolean vectors over the same samples.

    Samples pooled over seeds are not independent, so the p-value is additional information, not the verdict.
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    total = only_first + only_second
    p_value = float(stats.binomtest(only_first, total).pvalue) if total else 1.0
    return Discordance(only_first, only_second, p_value)
