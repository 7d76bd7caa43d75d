"""Budgets: what counts, and how much of one is spent."""

from __future__ import annotations

import pytest

from autoaug.search.budget import Budget, BudgetTracker, PolicyCount, Reserve

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


def test_slow_trials_on_a_share_of_the_data_leave_more_to_the_confirmation() -> None:
    """Ten trainings of ten seconds as forecast; a trial on a quarter of the data is a third of one."""
    budget = Budget(seconds=1000, reserve=Reserve(10, 10.0, {0.25: 1 / 3}))

    def tracker() -> BudgetTracker:
        return BudgetTracker(
            budget, full_length=100, slots=1, known=0, count=PolicyCount(until=0.6), earlier_seconds=450
        )

    forecast, slow, unknown = tracker(), tracker(), tracker()
    assert forecast.spent(0) == pytest.approx(450 / (1000 - 10 * 10), rel=0.01)
    slow.note_time(60.0, 1.0, 0.25)
    assert slow.spent(0) == pytest.approx(forecast.spent(0), rel=0.01), "the first trial of a worker loads things"
    for _ in range(3):
        slow.note_time(10.0, 1.0, 0.25)  # three times as long as forecast
    assert slow.spent(0) == pytest.approx(forecast.spent(0), rel=0.01), "a few may have been unlucky"
    slow.note_time(10.0, 1.0, 0.25)
    assert slow.spent(0) == pytest.approx(450 / (1000 - 10 * (10 + 30) / 2), rel=0.01)
    slow.note_time(12.5, 0.5, 1.0)  # half a training
    assert slow.spent(0) == pytest.approx(450 / (1000 - 10 * 25), rel=0.01), "the median"
    for _ in range(9):
        unknown.note_time(10.0, 1.0, 0.5)
    assert unknown.spent(0) == pytest.approx(forecast.spent(0), rel=0.01)
