"""Looking at the data more than once: seeds are added until they decide, and the error is spent over the looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import stats
from scipy.integrate import trapezoid
from scipy.optimize import brentq

from autoaug.evaluation.statistics import ERROR

#: Seeds are added only while the chance that the finalist will turn out better is at least this, on its present trend.
_HOPE = 0.1
_GRID = 1201
_WIDEST = 8.0


def interim_analyses(first: int, most: int) -> tuple[int, ...]:
    """After how many seeds to look: at `first`, at `most`, and at up to two even steps in between."""
    steps = min(3, most - first)
    return (first, *(round(first + (most - first) * k / steps) for k in range(1, steps + 1)))


@cache
def levels(interim_analyses: tuple[int, ...], error: float = ERROR) -> tuple[float, ...]:
    """The two-sided level to test at, at each of `interim_analyses`, so that all together are wrong with chance
    `error`.

    The error is spent in proportion to the share of the seeds (Lan and DeMets, 1983; Kim and DeMets, 1987). The
    boundaries follow from the density of a Brownian motion that has not crossed one yet (Armitage et al., 1969), as
    nominal levels, which carry over to Student's t (Jennison and Turnbull, 2000, section 11.5).
    """
    times = [n / interim_analyses[-1] for n in interim_analyses]
    position = np.linspace(-_WIDEST, _WIDEST, _GRID)
    step = position[1] - position[0]
    found: list[float] = []
    density, before, spent = np.zeros(_GRID), 0.0, 0.0
    for time in times:
        if not found:
            density = stats.norm.pdf(position, scale=math.sqrt(time))
        else:
            moves = stats.norm.pdf(position[:, None] - position, scale=math.sqrt(time - before))
            density = moves @ density * step

        def crossing(bound: float, density: np.ndarray = density, time: float = time, spent: float = spent) -> float:
            inside = np.interp(np.linspace(-bound, bound, _GRID), position, density)
            left = float(trapezoid(inside, dx=2 * bound / (_GRID - 1)))
            return (1 - spent - left) - (error * time - spent)

        bound = float(brentq(crossing, 0.1, _WIDEST - 0.1))
        found.append(float(2 * stats.norm.sf(bound / math.sqrt(time))))
        density, before, spent = np.where(np.abs(position) < bound, density, 0.0), time, error * time
    return tuple(found)


def is_futile(differences: Sequence[float], interim_analyses: tuple[int, ...]) -> bool:
    """Whether adding seeds will hardly show that the mean of `differences` is above 0: on the present trend, the chance
    of that at the last look is below a tenth (Lan and Wittes, 1988). Stopping for that cannot make a wrong claim.
    """
    n, most = len(differences), interim_analyses[-1]
    deviation = float(np.std(differences, ddof=1))
    if n >= most or deviation == 0:
        return True
    time = n / most
    now = float(np.mean(differences)) / (deviation / math.sqrt(n)) * math.sqrt(time)
    needed = float(stats.norm.isf(levels(interim_analyses)[-1] / 2))
    return float(stats.norm.sf((needed - now / time) / math.sqrt(1 - time))) < _HOPE
