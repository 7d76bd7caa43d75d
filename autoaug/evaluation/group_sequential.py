"""Interim analyses: seeds are added until the data decide, and the error is spent over the analyses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from scipy import stats
from scipy.integrate import cumulative_trapezoid, trapezoid
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq

from autoaug.evaluation.statistics import ERROR, Errors, Reach

#: Seeds are added only while the finalist turns out better with at least this probability, on its present trend.
_HOPE = 0.1
#: The grids on which densities of a Brownian motion are computed: for levels, and for estimates, which need less.
_FINE, _COARSE = np.linspace(-8.0, 8.0, 1201), np.linspace(-8.0, 8.0, 401)
#: The errors over all analyses for which levels are computed; between them, levels are interpolated. P-values above the
#: last are 1.
_ERRORS = np.sort([ERROR, *np.geomspace(1e-8, 0.5, 24), 0.65, 0.8, 0.9])
#: Means further from 0 than this, in standard errors, are treated as this far: an earlier analysis would have stopped.
_FURTHEST = 6.0


def interim_analyses(first: int, most: int) -> tuple[int, ...]:
    """The numbers of seeds at the interim analyses: `first`, `most`, and up to two even steps in between."""
    steps = min(3, most - first)
    return (first, *(round(first + (most - first) * k / steps) for k in range(1, steps + 1)))


@cache
def levels(interim_analyses: tuple[int, ...], error: float = ERROR) -> tuple[float, ...]:
    """The two-sided level of the test at each of the `interim_analyses`, so that the probability of any error is
    `error`.

    The error is spent in proportion to the share of the seeds: the power family of Kim and DeMets (1987) with the
    exponent 1, within the approach of Lan and DeMets (1983). The boundaries follow from the density of a Brownian
    motion that has not crossed one yet (Armitage et al., 1969). They are given as nominal levels, which carry over to
    Student's t (Jennison and Turnbull, 2000, section 11.5).
    """
    times = [n / interim_analyses[-1] for n in interim_analyses]
    nominal: list[float] = []
    density, before, spent = None, 0.0, 0.0
    for time in times:
        density = _moved(density, time - before, _FINE)

        def crossing(bound: float, density: np.ndarray = density, time: float = time, spent: float = spent) -> float:
            inside = np.interp(np.linspace(-bound, bound, len(_FINE)), _FINE, density)
            left = float(trapezoid(inside, dx=2 * bound / (len(_FINE) - 1)))
            return (1 - spent - left) - (error * time - spent)

        most = float(_FINE[-1])
        # An error too small for the grid is not spent.
        bound = float(brentq(crossing, 0.0, most)) if crossing(most) < 0 else most
        nominal.append(float(2 * stats.norm.sf(bound / math.sqrt(time))))
        density, before, spent = np.where(np.abs(_FINE) < bound, density, 0.0), time, error * time
    return tuple(nominal)


def _moved(density: np.ndarray | None, duration: float, position: np.ndarray) -> np.ndarray:
    """The density of a Brownian motion at `position` after `duration`; before that it was `density`, or None at 0."""
    if density is None:
        return _normal(position, duration)
    moved: np.ndarray = _moves(duration, len(position)) @ density
    return moved


@lru_cache(maxsize=8)
def _moves(duration: float, count: int) -> np.ndarray:
    """The transition matrix ``[to, from]`` between the positions of the grid with that `count`."""
    position = _FINE if count == len(_FINE) else _COARSE
    moves: np.ndarray = _normal(position[:, None] - position, duration) * (position[1] - position[0])
    return moves


def _normal(position: np.ndarray, variance: float) -> np.ndarray:
    density: np.ndarray = np.exp(-(position**2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    return density


def level_at(planned: Sequence[int], number: int) -> float:
    """The level of analysis `number` of those `planned`, counted from 0; an empty plan is a single analysis."""
    return levels(tuple(planned))[number] if planned else ERROR


def reach_at(errors: Errors, planned: Sequence[int], number: int) -> Reach:
    """Half the width of the interval at analysis `number` of those `planned`, counted from 0, with Student's t at the
    level of that analysis. The intervals at all analyses hold together with 95 % (repeated confidence intervals;
    Jennison and Turnbull, 2000, chapter 9). An empty plan is a single analysis.
    """
    return errors.reach(level_at(planned, number), ERROR)


def repeated_p_value(mean: float, errors: Errors, planned: Sequence[int], number: int) -> float:
    """The smallest error over all analyses at which this one would call `mean` different from 0 (Jennison and Turnbull,
    2000, section 9.5). It is below 5 % if and only if the interval of `reach_at` excludes 0.
    """
    if len(planned) < 2:
        return errors.p_value(mean)
    curve = _levels_by_error(tuple(planned), number)

    def short(power: float) -> float:
        level = min(1.0, math.exp(float(curve(power))))
        return errors.reach(level, math.exp(power)).total - abs(mean)

    low, high = math.log(_ERRORS[0]), math.log(_ERRORS[-1])
    if short(low) <= 0:
        return float(_ERRORS[0])
    return 1.0 if short(high) >= 0 else math.exp(brentq(short, low, high, xtol=1e-6))


@cache
def _levels_by_error(planned: tuple[int, ...], number: int) -> PchipInterpolator:
    """The logarithm of the level at one analysis as a function of the logarithm of the error over all."""
    own = [levels(planned, float(error))[number] for error in _ERRORS]
    return PchipInterpolator(np.log(_ERRORS), np.log(own))


def _earlier_errors(errors: Errors, planned: Sequence[int], number: int, earlier: int) -> Errors:
    """What the `errors` at analysis `number` of those `planned` were at an `earlier` one, with fewer seeds."""
    seeds = errors.seeds * math.sqrt(planned[number] / planned[earlier])
    return Errors(seeds, planned[earlier] - 1, errors.samples, errors.samples_freedom)


def was_decided(differences: Sequence[float], errors: Errors, planned: Sequence[int], number: int) -> bool:
    """Whether the interval of an analysis before the present one excluded 0, so that seeds have been added since, for
    another difference. Its error is taken from the present one, which more seeds have estimated.

    Args:
        differences: the difference for each seed.
        errors: the errors of their mean.
        planned: the numbers of seeds at the analyses; empty for a single one.
        number: the index of the present analysis.
    """
    return any(
        abs(float(np.mean(differences[:seeds])))
        > reach_at(_earlier_errors(errors, planned, number, earlier), planned, earlier).total
        for earlier, seeds in enumerate(planned[:number])
    )


def median_unbiased(mean: float, errors: Errors, planned: Sequence[int], number: int) -> float:
    """The median-unbiased estimate: the difference for which an outcome at least as good has the probability 1/2.
    Outcomes are ordered by how early they stop, then by how good they are (Jennison and Turnbull, 2000, section 8.3).
    The mean at the time of stopping is too far from 0, because lucky confirmations stop early; this estimate is not.

    Args:
        mean: the mean at this analysis.
        errors: its errors.
        planned: the numbers of seeds at the analyses; empty for a single one.
        number: the index of this analysis, from 0.
    """
    if number == 0 or mean == 0 or errors.total in {0, math.inf}:
        return mean
    times, bounds = [], []
    for place in range(number + 1):
        then = _earlier_errors(errors, planned, number, place)
        times.append((errors.total / then.total) ** 2)
        bounds.append(reach_at(then, planned, place).total / then.total)
    drift = _median_drift(times, bounds, min(abs(mean) / errors.total, _FURTHEST))
    reach = reach_at(errors, planned, number).total
    return math.copysign(max(drift * errors.total, abs(mean) - reach), mean)


def _median_drift(times: Sequence[float], bounds: Sequence[float], reached: float) -> float:
    """The drift for which a Brownian motion that stops when it leaves ``± bounds · √time`` has the probability 1/2 of
    an outcome at least as good as `reached` at the last of `times`, which is 1.
    """
    # Of each stage, the time, the density, and the position below which an outcome is lower.
    stages: list[tuple[float, np.ndarray, float]] = []
    density, before = None, 0.0
    for time, bound in zip(times, bounds, strict=True):
        edge = bound * math.sqrt(time)
        density = _moved(density, time - before, _COARSE)
        stages.append((time, density, -edge))
        density, before = np.where(np.abs(_COARSE) < edge, density, 0.0), time
    stages[-1] = (*stages[-1][:2], reached)

    def excess(drift: float) -> float:
        """1/2 less the probability of a lower outcome with this drift (Girsanov's weights)."""
        lower = 0.0
        for time, density, edge in stages:
            weighted = density * np.exp(drift * _COARSE - drift**2 * time / 2)
            lower += float(np.interp(edge, _COARSE, cumulative_trapezoid(weighted, _COARSE, initial=0)))
        return 0.5 - lower

    if excess(reached) <= 0:  # too close to 0 for an earlier stop to have been likely
        return reached
    return 0.0 if excess(0.0) >= 0 else float(brentq(excess, 0.0, reached, xtol=1e-6))


def is_futile(mean: float, errors: Errors, planned: Sequence[int], number: int) -> bool:
    """Whether more seeds are unlikely to show that a difference is above 0: on the present trend, the probability of
    that at the last of the `planned` analyses is below a tenth (Lan and Wittes, 1988). The luck of the test samples
    stays the same, so seeds do not help if that is why the interval is wide. Stopping for futility cannot cause a wrong
    claim.
    """
    if number + 1 >= len(planned) or errors.seeds == 0:
        return True
    share = planned[number] / planned[-1]
    last = Errors(errors.seeds * math.sqrt(share), planned[-1] - 1, errors.samples, errors.samples_freedom)
    ahead = mean - reach_at(last, planned, len(planned) - 1).total
    return float(stats.norm.cdf(ahead / (last.seeds * math.sqrt(1 - share)))) < _HOPE
