"""Whether a search can still gain anything."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, t

from autoaug.search.strategies.base import FIRST, TrialRecord

#: The fewest policies that must have been tried before those that were not are judged.
_FEWEST = 8
#: The standard deviation between trainings of one policy at a score of one half; it falls toward 0 and 1 as that of a
#: share does.
_NOISE = 0.015
#: What the best of many policies gains at full length over the best baseline, as a share of the error that this
#: baseline leaves on a quarter of the data: the mean over ten data sets (scripts/bench_table), where it was 0 to 0.36.
_SHARE = 0.11


def chance_of_gain(trials: Sequence[TrialRecord], data_fraction: float, untried: int, least: float) -> float:
    """The probability that any policy gains `least` or more over the best baseline: the lower one of what the error
    left and the tried policies allow, see below.
    """
    return min(chance_by_error(trials, data_fraction, least), chance_by_trials(trials, data_fraction, untried, least))


def chance_by_error(trials: Sequence[TrialRecord], data_fraction: float, least: float) -> float:
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


def chance_by_trials(trials: Sequence[TrialRecord], data_fraction: float, untried: int, least: float) -> float:
    """The probability that a policy is better than the best baseline by `least` or more: one of those tried on that
    `data_fraction` with the first seed, or of as many `untried` ones that are distributed as those are. It is 1 as long
    as too few were tried to say, or no baseline scored above 0. Scores are shares. The scores of the tried ones are not
    shrunk, and the width of their distribution contains the noise, so that the probability is rather too high.
    """
    alike = [r for r in trials if r.data_fraction == data_fraction and r.seed_index == FIRST and r.score is not None]
    baselines = {r.fingerprint: r.score or 0.0 for r in alike if r.is_baseline}
    own = {r.fingerprint: r.score or 0.0 for r in alike if r.fingerprint not in baselines}
    best = max(baselines.values(), default=0.0)
    if best <= 0 or len(own) < _FEWEST:  # at 0, such as the recall of the worst class, scores have no noise to go by
        return 1.0
    scores, count = np.array(list(own.values())), len(own)
    noise = _NOISE * 2 * math.sqrt(max(0.0, best * (1 - best)))
    tried = norm.sf((best + least - scores) / max(1e-9, math.sqrt(2) * noise))
    width = max(1e-9, math.hypot(float(scores.std(ddof=1)) * math.sqrt(1 + 1 / count), noise))
    another = float(t.sf((best + least - float(scores.mean())) / width, count - 1))
    return float(1 - np.prod(1 - tried) * (1 - another) ** untried)
