"""Budgets: what counts, and how much of one is spent."""

from __future__ import annotations

import pytest

from autoaug.search.budget import PolicyCount

WHOLE = (0.0, 1.0)


def test_a_budget_of_policies_is_spent_step_by_step() -> None:
    """Four policies take three fifths of it; two thirds of their cost is left for all that follows."""
    count = PolicyCount(until=0.6, wanted=4)
    spent = []
    for index, name in enumerate(["none", "a", "b", "c", "d"]):
        count.add(name, WHOLE, 0.25, is_baseline=index == 0)
        spent.append(count.spent)
    count.add("a", WHOLE, 0.25, is_baseline=False)  # a repetition
    spent.append(count.spent)
    count.add("stronger", WHOLE, 0.5, is_baseline=False)  # a variant of the best, which is not one of the four
    spent.append(count.spent)
    assert spent[:5] == pytest.approx([0, 0.15, 0.3, 0.45, 0.6])
    assert spent[5:] == pytest.approx([0.6 * (1 + 0.25 / 1.25), 0.6 * (1 + 0.75 / 1.25)])
    assert (count.policies, count.known, count.trials) == (4, 1, 7)
