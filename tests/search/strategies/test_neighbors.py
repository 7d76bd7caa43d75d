"""Neighbors differ from a shape in one thing and stay in the space, and `auto` finds its way through them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoaug.policy.models import Policy
from autoaug.runs.callbacks import Logged
from autoaug.search.budget import Budget
from autoaug.search.loop import run_search
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import load_space, space_names
from autoaug.search.strategies import get_strategy
from autoaug.search.strategies.base import Stage
from autoaug.search.strategies.neighbors import neighbors, stronger
from autoaug.search.strategies.portfolio import portfolio
from autoaug.search.study import SearchStudy
from tests.conformance import test_strategies as surrogate
from tests.studies import kept_in_memory


@pytest.mark.parametrize("name", space_names())
def test_each_neighbor_differs_in_one_thing_and_stays_in_the_space(name: str) -> None:
    space = load_space(name)
    for shape in portfolio(space):
        near = list(neighbors(space, shape))
        assert near
        for values in near:
            assert sum(values[key] != shape[key] for key in shape) == 1
            policy = sample_shaped(space, Given(values))
            assert set(policy.operator_names()) <= set(space.operator_names())


def test_neighbors_differ_in_every_kind_of_thing() -> None:
    space = load_space("standard")
    shape = next(shape for shape in portfolio(space) if shape["layers"])
    changed = {next(key for key in shape if values[key] != shape[key]) for values in neighbors(space, shape)}
    assert changed == {
        *(base.operator for base in space.base),
        *("extra", "strength", "mixing", "layers", "family", "copies"),
    }


def likes(policy: Policy) -> float:
    """The score where both flips, any turn and mixup are good and all else is bad."""
    names = policy.operator_names()
    wanted = {"HorizontalFlip", "VerticalFlip", "Rotate"}
    mixed = policy.mixing is not None and policy.mixing.kind == "mixup"
    return 0.5 + 0.1 * len(wanted & set(names)) + 0.05 * mixed - 0.02 * len(set(names) - wanted)


@pytest.mark.slow
def test_auto_goes_from_the_portfolio_to_what_none_of_its_shapes_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surrogate, "known_score", likes)
    with kept_in_memory():
        study = surrogate.search_with("auto", Path("study.db"), surrogate.Surrogate(), 30, space=load_space("standard"))
    trials = study.history().trials
    in_portfolio = max(likes(record.policy) for record in trials if record.stage == Stage.PORTFOLIO)
    returned = study.strategy.finalists(study.history())[0].policy
    assert likes(returned) > in_portfolio
    assert returned.mixing is not None
    assert returned.mixing.kind == "mixup"
    proposed = [record.fingerprint for record in trials if record.stage == Stage.MODEL]
    assert len(set(proposed)) == len(proposed) > 5


@pytest.mark.parametrize("may_stop", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_auto_ends_early_where_nothing_is_left_to_gain(may_stop: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    none = Policy().fingerprint()
    monkeypatch.setattr(
        surrogate, "known_score", lambda p: 0.9 if p.fingerprint() == none else 0.6 + 0.001 * len(p.layers)
    )
    with kept_in_memory():
        study = SearchStudy("study.db", load_space("standard"), get_strategy("auto"), seed=0)
    full = surrogate.FULL
    said = run_search(
        study, surrogate.Surrogate(), Budget(trainings=20), full, surrogate.BASELINES, Logged(), may_stop=may_stop
    )
    spent = sum(record.sample_passes for record in study.history().trials) / full
    if may_stop:
        assert said is not None
        assert "chance of 0.5 points over the best baseline is only 0 %" in said.reason
        assert not said.exhausted
        assert spent < 10
        assert study.strategy.finalists(study.history()) == []
    else:
        assert said is None
        assert spent > 15


@pytest.mark.parametrize("name", space_names())
def test_a_stronger_shape_has_a_layer_more_or_larger_magnitudes(name: str) -> None:
    space = load_space(name)
    for shape in portfolio(space):
        changed = stronger(space, shape)
        if changed is None:
            continue
        grown = [key for key in shape if changed[key] != shape[key]]
        assert len(grown) == 1
        assert changed[grown[0]] > shape[grown[0]]


def test_a_stronger_variant_of_the_best_is_trained_at_full_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where strength pays only with all steps, trials on part of the data cannot tell."""

    def score(policy: Policy) -> float:
        return 0.5 + 0.02 * len(policy.layers)

    monkeypatch.setattr(surrogate, "known_score", score)
    with kept_in_memory():
        study = surrogate.search_with("auto", Path("study.db"), surrogate.Surrogate(), 12, space=load_space("standard"))
    first, second = [t for t in study.history().trials if t.stage in {Stage.FULL_LENGTH, Stage.STRONGER}][:2]
    assert (first.stage, second.stage) == (Stage.FULL_LENGTH, Stage.STRONGER)
    assert second.is_whole

    def strength(policy: Policy) -> float:
        return sum(operation.magnitude[1] for operation in policy.operations())

    assert strength(second.policy) > strength(first.policy)
