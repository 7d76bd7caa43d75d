"""Which of the known policies a search tries, and which of them are trained again with its finalists."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autoaug.search.budget import Budget
from autoaug.search.strategies.base import TrialRecord

#: A search tries at least so many, and more where they take at most this share of its budget.
_FEWEST, _OF_BUDGET = 5, 1 / 3
#: The most baselines that are confirmed.
CONFIRMED = 5
#: Ranks baselines that were not tried behind all scores of `baseline_scores`.
UNTRIED = (-1.0, -math.inf)


def affordable_baselines(names: Sequence[str], budget: Budget) -> Sequence[str]:
    """The names of the baselines that a search with that budget tries: the first ones, or all with a budget of time."""
    trainings = budget.policies or budget.trainings
    return names if trainings is None else names[: max(_FEWEST, round(trainings * _OF_BUDGET))]


def confirmed_baselines(names: Sequence[str], always: Sequence[str], trials: Sequence[TrialRecord]) -> list[str]:
    """The names of the baselines to confirm, in the order of `names`: first come those that are `always` confirmed,
    then those with the best validation scores in the search's `trials`, on the largest share of the data that they
    were tried on, then the first of those that were not tried.
    """
    scores = baseline_scores(trials)
    ranked = sorted(names, key=lambda name: (name in always, scores.get(name, UNTRIED)), reverse=True)
    kept = set(ranked[:CONFIRMED])
    return [name for name in names if name in kept]


def baseline_scores(trials: Sequence[TrialRecord]) -> dict[str, tuple[float, float]]:
    """Of each baseline that was tried to the end, the largest share of the data that it was trained on, and its score
    there.
    """
    found: dict[str, tuple[float, float]] = {}
    for record in trials:
        if record.is_baseline and record.score is not None:
            found[record.name] = max(found.get(record.name, (0.0, -math.inf)), (record.data_fraction, record.score))
    return found
