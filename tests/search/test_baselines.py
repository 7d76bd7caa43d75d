"""Which baselines a search tries and confirms."""

from __future__ import annotations

import pytest

from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.runs.callbacks import Logged
from autoaug.search.baselines import affordable_baselines, confirmed_baselines
from autoaug.search.budget import Budget
from autoaug.search.loop import run_search
from autoaug.search.space import load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.strategies.base import TrialRecord
from autoaug.search.study import SearchStudy
from tests.golden_search import BEFORE_MATRICES, FULL, Lucky
from tests.studies import kept_in_memory

NAMES = tuple("abcdefghi")


@pytest.mark.parametrize(
    ("budget", "count"),
    [
        (Budget(policies=2), 5),
        (Budget(policies=18), 6),
        (Budget(trainings=20), 7),
        (Budget(policies=90), 9),
        (Budget(seconds=9), 9),
    ],
)
def test_baselines_take_five_trials_or_a_third_of_the_budget(budget: Budget, count: int) -> None:
    assert affordable_baselines(NAMES, budget) == NAMES[:count]


def trials(names: tuple[str, ...]) -> list[TrialRecord]:
    """The trials of a search by luck that had those baselines."""
    with kept_in_memory():
        study = SearchStudy("study.db", load_space("light"), get_strategy("random"), seed=1)
    run_search(study, Lucky(False), Budget(policies=10), FULL, {name: load_policy(name) for name in names}, Logged())
    return list(study.history().trials)


@pytest.mark.parametrize("strategy", ["auto", "random", "cmaes", "grid", "density", "pbt"])
@pytest.mark.parametrize("budget", [Budget(policies=5), Budget(trainings=4)])
def test_even_a_small_budget_is_not_spent_on_baselines_alone(strategy: str, budget: Budget) -> None:
    space = load_space("flat" if strategy in BEFORE_MATRICES else "light")
    baselines = {name: load_policy(name) for name in affordable_baselines(space.baselines, budget)}
    assert len(baselines) == 5
    with kept_in_memory():
        study = SearchStudy("study.db", space, get_strategy(strategy), seed=1)
    run_search(study, Lucky(True), budget, FULL, baselines, Logged())
    assert any(not record.is_baseline for record in study.history().trials)


def test_the_best_by_their_trials_are_confirmed_with_those_that_always_are() -> None:
    names = get_modality("image").baselines
    history = trials(names)
    scores = {record.name: record.score for record in history if record.is_baseline and record.score is not None}
    ranked = sorted(scores, key=lambda name: -scores[name])
    worst = ranked[-2:]
    kept = confirmed_baselines(names, worst, history)
    assert set(kept) == {*worst, *ranked[:3]}
    assert kept == [name for name in names if name in kept]
    assert confirmed_baselines(names, ("none",), []) == list(names[:5]), "nothing was tried"


def test_practice_is_among_the_baselines() -> None:
    for space in ("standard", "light", "flat", "regularized"):
        named = load_space(space).baselines
        assert {"flip-crop+cutmix", "flip-crop+mixup", "flip-crop+trivialaugment-wide+cutout"} <= set(named)
        assert get_modality("image").usual_policy in named[:3]
        for name in named:
            load_policy(name)
    assert {"cutmix", "mixup", "randaugment+cutout"} <= set(load_space("digits").baselines)
