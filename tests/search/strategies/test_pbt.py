"""The population of PBT."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from autoaug.search.strategies.pbt import GENERATIONS
from tests.conformance.test_strategies import BASELINES, Surrogate, search_with


@pytest.mark.parametrize(("first", "then"), [(7, 16), (7, 5)])
def test_a_population_keeps_its_size_when_the_budget_is_another(first: int, then: int, tmp_path: Path) -> None:
    """Under a time limit, it is: each session forecasts anew how many trainings fit."""
    size = first - len(BASELINES)
    with pytest.raises(KeyboardInterrupt):  # in the second generation
        search_with("pbt", tmp_path / "study.db", Surrogate(dies_after=len(BASELINES) + size + 1), first)
    study = search_with("pbt", tmp_path / "study.db", Surrogate(), then)
    members = [record for record in study.history().trials if not record.is_baseline]
    begun = Counter(record.stage for record in members)
    assert [begun[f"generation {n + 1}"] for n in range(2)] == [size, size]
    assert set(begun.values()) == {size} or then < first  # less budget ends it early
    for record in members[size:]:  # each continues what one of the generation before it has begun
        generation = round(record.start * GENERATIONS)
        before = members[(generation - 1) * size : generation * size]
        now = record.start - 0.1
        assert record.policy.at(now).layers in [parent.policy.at(now).layers for parent in before]
