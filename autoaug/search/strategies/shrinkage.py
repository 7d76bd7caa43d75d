"""Estimates of policies from repeated, noisy trials on all or part of the data, by empirical Bayes shrinkage."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from autoaug.search.strategies.base import TrialRecord

#: The standard deviation between trainings of one policy, used if too few were repeated to estimate it.
_USUAL_NOISE = 0.015
#: The degrees of freedom (trainings beyond the first of each policy and of each condition) from which on the noise is
#: estimated.
_FREEDOM = 4
_SWEEPS = 12
_LEAST = 1e-8


class PolicyEstimate(NamedTuple):
    """The estimate for a policy.

    Attributes:
        record: its first trial on all data, or else its first trial.
        expected: its expected score minus that of the average policy, shrunk toward 0 according to the noise.
        trials: how many trials the estimate is based on.
        is_whole: whether one of them was on all data.
    """

    record: TrialRecord
    expected: float
    trials: int
    is_whole: bool


def policy_estimates(trials: Iterable[TrialRecord]) -> list[PolicyEstimate]:
    """Estimates from all complete trials of each policy, best first.

    A score is modeled as the sum of an effect of the policy, an effect of the condition (data fraction and seed), and
    noise. The policy effects have a normal prior whose width is fitted too (empirical Bayes; Efron and Morris, 1975).
    This corrects the winner's curse: the best of many noisy scores is expected to be worse than it looks, the more so
    the less often it was repeated.
    """
    kept = list({record.key: record for record in reversed(list(trials)) if record.score is not None}.values())[::-1]
    if not kept:
        return []
    policy, policies = _numbered([record.key[0] for record in kept])
    condition, conditions = _numbered([(record.data_fraction, record.seed_index) for record in kept])
    scores = np.array([record.score for record in kept], dtype=float)
    count, in_condition = np.bincount(policy), np.bincount(condition)
    worth, freedom = np.zeros(policies), len(kept) - policies - (conditions - 1)
    for _ in range(_SWEEPS):
        offset = np.bincount(condition, scores - worth[policy]) / in_condition
        rest = scores - offset[condition]
        means = np.bincount(policy, rest) / count
        noise = _USUAL_NOISE**2
        if freedom >= _FREEDOM:
            noise = max(_LEAST, float(((rest - means[policy]) ** 2).sum()) / freedom)
        values = means - means.mean()
        spread = max(_LEAST, float(np.mean(values**2 - noise / count)))
        worth = spread / (spread + noise / count) * values
    first: dict[int, TrialRecord] = {}
    whole: dict[int, TrialRecord] = {}
    for number, record in zip(policy.tolist(), kept, strict=True):
        first.setdefault(number, record)
        if record.data_fraction == 1:
            whole.setdefault(number, record)
    estimates = [
        PolicyEstimate(whole.get(number, record), float(worth[number]), int(count[number]), number in whole)
        for number, record in first.items()
    ]
    return sorted(estimates, key=lambda s: -s.expected)


def _numbered(keys: Sequence[Hashable]) -> tuple[np.ndarray, int]:
    """Number the distinct keys in order of appearance; return each key's number, and the count of distinct keys."""
    numbers: dict[Hashable, int] = {}
    indices = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    return indices, len(numbers)
