"""What repeated, noisy, partly cheap trials say of a policy together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from autoaug.search.strategies.base import TrialRecord

#: The deviation between trainings of one policy where too few were repeated to estimate it: a point and a half.
_USUAL_NOISE = 0.015
#: With so many trainings beyond the first of each policy, the noise is estimated from them.
_FREEDOM = 4
_SWEEPS = 12
_LEAST = 1e-8


class PolicyEstimate(NamedTuple):
    """What is estimated of a policy.

    Attributes:
        record: its first trial, or its first at full length.
        expected: accuracy above the average policy's, shrunken towards 0 as far as noise explains it.
        trials: how many trials the estimate is from.
        is_whole: whether one of them was at full length.
    """

    record: TrialRecord
    expected: float
    trials: int
    is_whole: bool


def policy_estimates(trials: Iterable[TrialRecord]) -> list[PolicyEstimate]:
    """Policies by what all of their complete trials say, the best first.

    An accuracy is modeled as the sum of what the policy is worth, an effect of the condition (the fraction of the data
    and the seed, which all policies have in common), and noise; a policy's worth has a normal prior, whose width is
    fitted too (empirical Bayes; Efron and Morris, 1975). That corrects the winner's curse: the best of many noisy
    scores is expected to be worse than it looks, and the less often it was repeated, the more.
    """
    kept = list({record.key: record for record in reversed(list(trials)) if record.score is not None}.values())[::-1]
    if not kept:
        return []
    policy, policies = _numbered([record.key[0] for record in kept])
    condition, _ = _numbered([(record.data_fraction, record.seed_index) for record in kept])
    scores = np.array([record.score for record in kept], dtype=float)
    count, in_condition = np.bincount(policy), np.bincount(condition)
    worth, freedom = np.zeros(policies), len(kept) - policies
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
    found = [
        PolicyEstimate(whole.get(number, record), float(worth[number]), int(count[number]), number in whole)
        for number, record in first.items()
    ]
    return sorted(found, key=lambda s: -s.expected)


def _numbered(keys: Sequence[Hashable]) -> tuple[np.ndarray, int]:
    """For each key the number of the first equal one among the different ones, and how many those are."""
    numbers: dict[Hashable, int] = {}
    found = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    return found, len(numbers)
