"""What repeated, noisy, partly cheap trials say of a policy together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from autoaug.strategies.base import Past

#: The deviation between trainings of one policy, where too few were repeated to tell: a point and a half.
_USUAL_NOISE = 0.015
_SWEEPS = 30


class Standing(NamedTuple):
    """A policy with what is believed of it.

    Attributes:
        past: its first trial, or its first at full length.
        expected: accuracy above the average policy's, shrunken towards 0 as far as noise explains it.
        trials: how many trials that stands on.
        is_whole: whether one of them was at full length.
    """

    past: Past
    expected: float
    trials: int
    is_whole: bool


def standings(trials: Iterable[Past]) -> list[Standing]:
    """Policies by what all of their complete trials say, the best first.

    An accuracy is taken to be the sum of what the policy is worth, of what the condition is (share of the data and
    repeat, which all policies share), and of noise; a policy's worth has a normal prior, whose width is fitted too
    (empirical Bayes; Efron and Morris, 1975). That corrects the winner's curse: the best of many noisy scores is
    expected to be worse than it looks, and the less often it was repeated, the more.
    """
    scored = [past for past in trials if past.score is not None]
    by_policy: dict[str, list[int]] = defaultdict(list)
    by_condition: dict[tuple[float, int], list[int]] = defaultdict(list)
    seen: set[object] = set()
    kept: list[Past] = []
    for past in scored:
        if past.key in seen:  # told as another trial ended: no new evidence
            continue
        seen.add(past.key)
        by_policy[past.key[0]].append(len(kept))
        by_condition[past.share, past.repeat].append(len(kept))
        kept.append(past)
    scores = np.array([past.score for past in kept], dtype=float)
    worth = dict.fromkeys(by_policy, 0.0)
    noise, spread = _USUAL_NOISE**2, float("inf")
    for _ in range(_SWEEPS):
        own = np.array([worth[past.key[0]] for past in kept])
        offset = np.zeros(len(kept))
        for rows in by_condition.values():
            offset[rows] = (scores - own)[rows].mean()
        rest = scores - offset
        means = {policy: float(rest[rows].mean()) for policy, rows in by_policy.items()}
        repeated = [rest[rows] - means[policy] for policy, rows in by_policy.items() if len(rows) > 1]
        freedom = sum(len(r) - 1 for r in repeated)
        if freedom >= 4:
            noise = max(1e-8, float(sum((r**2).sum() for r in repeated)) / freedom)
        average = float(np.mean(list(means.values()))) if means else 0.0
        counts = np.array([len(rows) for rows in by_policy.values()], dtype=float)
        values = np.array(list(means.values())) - average
        spread = max(1e-8, float(np.mean(values**2 - noise / counts))) if len(values) else 1e-8
        worth = {
            policy: spread / (spread + noise / len(rows)) * (means[policy] - average)
            for policy, rows in by_policy.items()
        }
    found = []
    for policy, rows in by_policy.items():
        whole = [kept[row] for row in rows if kept[row].share == 1]
        found.append(Standing((whole or [kept[rows[0]]])[0], worth[policy], len(rows), bool(whole)))
    return sorted(found, key=lambda s: -s.expected)
