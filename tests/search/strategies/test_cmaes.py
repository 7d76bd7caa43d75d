"""CMA-ES, whose package is an extra."""

from __future__ import annotations

import sys

import cmaes
import numpy as np
import pytest

from autoaug.errors import OptionError
from autoaug.search.space import RegularizationSpace, SearchSpace, load_space
from autoaug.search.strategies import get_strategy
from autoaug.search.strategies.base import Draw, SearchContext, Strategy
from autoaug.search.strategies.cmaes import CmaEs
from autoaug.search.study import SearchStudy
from autoaug.training.result import TrialResult
from autoaug.utils.seeds import derive_seed
from tests.studies import kept_in_memory


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("flat")
    get_strategy("cmaes").check(space)
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(OptionError, match=r"needs the package cmaes: pip install 'autoaug\[cmaes\]'"):
        get_strategy("cmaes").check(space)


class Forgetful(CmaEs):
    """Replays all trials for every draw."""

    def next(self, history, context):  # type: ignore[no-untyped-def]
        self.__init__()  # type: ignore[misc]
        return super().next(history, context)


def drawn(
    strategy: Strategy, trials: int, running: int, space: SearchSpace | None = None
) -> list[dict[str, float | str]]:
    """What a search draws of which so many trials run at once, and end in another order than they began."""
    space, waiting = space or load_space("flat"), list[int]()
    with kept_in_memory():
        study = SearchStudy("study.db", space, strategy, seed=4)
    session, context = study.begin_session(), SearchContext(space, {}, 0.0, None, seed=4)
    for number in range(trials):
        step = strategy.next(study.history(), context)
        assert isinstance(step, Draw)
        waiting.append(study.begin(step).number)
        if len(waiting) == running:
            ended, score = waiting.pop(5 * number % running), (number * 37 % 50) / 50
            study.tell(ended, TrialResult(started=1.0, ended=2.0, status="complete", score=score), session, 100)
    return [dict(record.frozen.params) for record in study.history().trials]


@pytest.mark.parametrize("running", [1, 25])
def test_what_is_kept_between_draws_changes_nothing(running: int) -> None:
    assert drawn(CmaEs(), 50, running) == drawn(Forgetful(), 50, running)


def test_the_points_of_the_first_generation_are_what_the_library_asks_for() -> None:
    names = sorted((trials := drawn(CmaEs(), 10, 1))[0])
    optimizer = cmaes.CMA(
        np.full(len(names), 0.5), 0.25, np.tile([0.0, 1.0], (len(names), 1)), seed=derive_seed(4, "cma") % 2**31
    )
    for trial in trials[1:]:
        asked = dict(zip(names, optimizer.ask(), strict=True))
        for name in ("layer1.probability", "layer2.strength"):  # whose range is [0, 1]
            assert trial[name] == pytest.approx(asked[name])


def test_one_object_serves_several_searches() -> None:
    strategy = CmaEs()
    assert drawn(strategy, 30, 1) == drawn(strategy, 30, 1)


def test_one_object_serves_spaces_of_different_dimensions() -> None:
    """Also if the first search ends within its first generation."""
    strategy, numbers = CmaEs(), SearchSpace(regularization=RegularizationSpace())
    strategy.check(numbers)
    assert len(drawn(strategy, 3, 1)[-1]) > len(drawn(strategy, 3, 1, numbers)[-1]) == 2
    assert drawn(strategy, 30, 1, numbers) == drawn(CmaEs(), 30, 1, numbers)


def test_its_work_grows_with_the_trials_and_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"told": 0, "asked": 0}
    tell, ask = cmaes.CMA.tell, cmaes.CMA.ask

    def telling(self: cmaes.CMA, solutions: list[object]) -> None:
        counts["told"] += 1
        tell(self, solutions)

    def asking(self: cmaes.CMA) -> object:
        counts["asked"] += 1
        return ask(self)

    monkeypatch.setattr(cmaes.CMA, "tell", telling)
    monkeypatch.setattr(cmaes.CMA, "ask", asking)
    drawn(CmaEs(), 100, 1)
    assert 0 < counts["told"] <= 100 / 6, "each generation once; one has at least six trials"
    assert counts["asked"] < 100 * 20, "and the generation under way anew for every draw"
