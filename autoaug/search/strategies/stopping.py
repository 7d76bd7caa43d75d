"""Whether a search can still gain anything."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autoaug.search.strategies.base import FIRST, TrialRecord

#: What the best of many policies gains at full length over the best baseline, as a share of the error that this
#: baseline leaves on a quarter of the data: the mean over ten data sets (scripts/bench_table), where it was 0 to 0.36.
_SHARE = 0.11


def chance_of_gain(trials: Iterable[TrialRecord], data_fraction: float, least: float) -> float:
    """The probability that any policy gains `least` or more over the best baseline, given the error that the best
    baseline leaves on that `data_fraction` with the first seed; 1 if none was tried. Scores are shares.

    The gain is modeled as a share of that error with an exponential distribution. How far other policies are behind on
    part of the data says next to nothing: on the table's ten sets, searches that ended where the posterior of the
    Gaussian process over policies saw no gain were right in 57 of 100 cases, hardly more often than by chance.
    """
    scores = [
        record.score
        for record in trials
        if record.is_baseline
        and record.data_fraction == data_fraction
        and record.seed_index == FIRST
        and record.score is not None
    ]
    error = 1 - max(scores, default=0.0)
    return math.exp(-least / (_SHARE * error)) if error > 0 else 0.0
