"""Looking at the data more than once: seeds are added until they decide, and the error is spent over the looks."""

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

#: Seeds are added only while the chance that the finalist will turn out better is at least this, on its present trend.
_HOPE = 0.1
#: Where a Brownian motion is looked for: for levels, and for estimates, which need less.
_FINE, _COARSE = np.linspace(-8.0, 8.0, 1201), np.linspace(-8.0, 8.0, 401)
#: Errors over all looks for which the levels of each are computed; between them they are interpolated, and p-values
#: above the last are 1.
_ERRORS = np.sort([ERROR, *np.geomspace(1e-8, 0.5, 24), 0.65, 0.8, 0.9])
#: Estimates further from 0, in standard errors, are as this one: an earlier analysis would have seen them.
_FURTHEST = 6.0


def interim_analyses(first: int, most: int) -> tuple[int, ...]:
    """After how many seeds to look: at `first`, at `most`, and at up to two even steps in between."""
    steps = min(3, most - first)
    return (first, *(round(first + (most - first) * k / steps) for k in range(1, steps + 1)))


@cache
def levels(interim_analyses: tuple[int, ...], error: float = ERROR) -> tuple[float, ...]:
    """The two-sided level to test at, at each of `interim_analyses`, so that all together are wrong with chance
    `error`.

    The error is spent in proportion to the share of the seeds: the power family of Kim and DeMets (1987) with the
    exponent 1, within the approach of Lan and DeMets (1983). The boundaries follow from the density of a Brownian
    motion that has not crossed one yet (Armitage et al., 1969), as nominal levels, which carry over to Student's t
    (Jennison and Turnbull, 2000, section 11.5).
    """
    times = [n / interim_analyses[-1] for n in interim_analyses]
    found: list[float] = []
    density, before, spent = None, 0.0, 0.0
    for time in times:
        density = _moved(density, time - before, _FINE)

        def crossing(bound: float, density: np.ndarray = density, time: float = time, spent: float = spent) -> float:
            inside = np.interp(np.linspace(-bound, bound, len(_FINE)), _FINE, density)
            left = float(trapezoid(inside, dx=2 * bound / (len(_FINE) - 1)))
            return (1 - spent - left) - (error * time - spent)

        most = float(_FINE[-1])
        bound = float(brentq(crossing, 0.0, most)) if crossing(most) < 0 else most  # too little to spend is not spent
        found.append(float(2 * stats.norm.sf(bound / math.sqrt(time))))
        density, before, spent = np.where(np.abs(_FINE) < bound, density, 0.0), time, error * time
    return tuple(found)


def _moved(density: np.ndarray | None, duration: float, position: np.ndarray) -> np.ndarray:
    """The density of a Brownian motion at `position` so much later; None for one that starts at 0."""
    if density is None:
        return _normal(position, duration)
    moved: np.ndarray = _moves(duration, len(position)) @ density
    return moved


@lru_cache(maxsize=8)
def _moves(duration: float, count: int) -> np.ndarray:
    """How much of what is at one of so many positions comes to which other, ``[to, from]``."""
    position = _FINE if count == len(_FINE) else _COARSE
    moves: np.ndarray = _normal(position[:, None] - position, duration) * (position[1] - position[0])
    return moves


def _normal(position: np.ndarray, variance: float) -> np.ndarray:
    density: np.ndarray = np.exp(-(position**2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
    return density


def level_at(planned: Sequence[int], number: int) -> float:
    """The level of the `number`-th of the `planned` analyses, from 0; an empty plan is a single analysis."""
    return levels(tuple(planned))[number] if planned else ERROR


def reach_at(errors: Errors, planned: Sequence[int], number: int) -> Reach:
    """How far the interval reaches at the `number`-th of the `planned` analyses, from 0, whose Student's t is taken at
    that analysis's own level. The intervals at all of them hold together with 95 % (repeated confidence intervals;
    Jennison and Turnbull, 2000, chapter 9). An empty plan is a single analysis.
    """
    return errors.reach(level_at(planned, number), ERROR)


def repeated_p_value(mean: float, errors: Errors, planned: Sequence[int], number: int) -> float:
    """The smallest error over all analyses together with which this one would call `mean` different from 0 (Jennison
    and Turnbull, 2000, section 9.5). It is below 5 % where the interval of `reach_at` leaves out 0, and nowhere else.
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
    """The logarithm of the level at one analysis by that of the error over all."""
    found = [levels(planned, float(error))[number] for error in _ERRORS]
    return PchipInterpolator(np.log(_ERRORS), np.log(found))


def median_unbiased(mean: float, errors: Errors, planned: Sequence[int], number: int) -> float:
    """The difference under which an outcome at least as good is as likely as not, where outcomes are ordered by how
    early they stopped, then by how good they are (Jennison and Turnbull, 2000, section 8.3). Means at the time of
    stopping are too far from 0, since luck stops early; this is not.

    Args:
        mean: at this analysis.
        errors: of it.
        planned: the analyses; empty for a single one.
        number: of this one, from 0.
    """
    if number == 0 or mean == 0 or errors.total in {0, math.inf}:
        return mean
    times, bounds = [], []
    for place, seeds in enumerate(planned[: number + 1]):
        own = errors.seeds * math.sqrt(planned[number] / seeds)  # what it was when there were fewer
        then = Errors(own, seeds - 1, errors.samples, errors.samples_freedom)
        times.append((errors.total / then.total) ** 2)
        bounds.append(reach_at(then, planned, place).total / then.total)
    drift = _median_drift(times, bounds, min(abs(mean) / errors.total, _FURTHEST))
    reach = reach_at(errors, planned, number).total
    return math.copysign(max(drift * errors.total, abs(mean) - reach), mean)


def _median_drift(times: Sequence[float], bounds: Sequence[float], found: float) -> float:
    """The drift under which a Brownian motion that is stopped where it leaves ``± bounds · √time`` is as likely as not
    to get at least as far as `found`, at the last of `times`, which is 1.
    """
    stages: list[tuple[float, np.ndarray, float]] = []  # of each: the time, the density, the lower edge of what counts
    density, before = None, 0.0
    for time, bound in zip(times, bounds, strict=True):
        edge = bound * math.sqrt(time)
        density = _moved(density, time - before, _COARSE)
        stages.append((time, density, -edge))
        density, before = np.where(np.abs(_COARSE) < edge, density, 0.0), time
    stages[-1] = (*stages[-1][:2], found)

    def excess(drift: float) -> float:
        """How much less likely than not it is to end lower, under this drift (Girsanov's weights)."""
        lower = 0.0
        for time, density, edge in stages:
            weighted = density * np.exp(drift * _COARSE - drift**2 * time / 2)
            lower += float(np.interp(edge, _COARSE, cumulative_trapezoid(weighted, _COARSE, initial=0)))
        return 0.5 - lower

    if excess(found) <= 0:  # it is too near 0 for an earlier stop to have been likely
        return found
    return 0.0 if excess(0.0) >= 0 else float(brentq(excess, 0.0, found, xtol=1e-6))


def is_futile(mean: float, errors: Errors, planned: Sequence[int], number: int) -> bool:
    """Whether adding seeds will hardly show that a difference is above 0: on the present trend, the chance of that at
    the last of the `planned` analyses is below a tenth (Lan and Wittes, 1988). The luck of the test samples stays as it
    is: where it is what the interval is wide from, no seeds help. Stopping for that cannot make a wrong claim.
    """
    if number + 1 >= len(planned) or errors.seeds == 0:
        return True
    share = planned[number] / planned[-1]
    last = Errors(errors.seeds * math.sqrt(share), planned[-1] - 1, errors.samples, errors.samples_freedom)
    ahead = mean - reach_at(last, planned, len(planned) - 1).total
    return float(stats.norm.cdf(ahead / (last.seeds * math.sqrt(1 - share)))) < _HOPE
