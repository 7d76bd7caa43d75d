"""Killed -9 at random moments, again and again: a run ends as if nothing had happened."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from autoaug.results import SearchResult
from tests.faults.kills import Survivor, measured
from tests.faults.life import SEARCH, check_weights, outcome


@pytest.mark.slow
@pytest.mark.fault("driver", "killed -9 at random moments, in this process")
def test_killed_at_random_moments_a_run_ends_as_if_nothing_had_happened(
    whole: SearchResult, data: Path, tmp_path: Path, amount: Callable[..., int]
) -> None:
    kills, draw, runs, done = amount("kills", 4, 60), random.Random(0), 0, 0
    seconds = measured(tmp_path / "measured", data, SEARCH, tmp_path)
    while done < kills:
        survivor = Survivor(tmp_path / f"run {runs}", data, SEARCH, draw)
        survivor.survive(seconds)
        runs, done = runs + 1, done + survivor.kills
        result = SearchResult.load(survivor.run.root)
        assert outcome(result) == outcome(whole)
        assert [(t.number, t.fingerprint, t.values) for t in result.history] == [
            (t.number, t.fingerprint, t.values) for t in whole.history
        ]
        check_weights(result)


@pytest.mark.slow
@pytest.mark.fault("driver", "killed -9 at random moments, under Ray with two workers")
def test_killed_at_random_moments_under_ray_a_run_keeps_its_budget(
    data: Path, tmp_path: Path, amount: Callable[..., int]
) -> None:
    options = {**SEARCH, "strategy": "random", "workers": 2, "trials": 8}
    kills, draw, runs, done = amount("kills", 0, 50), random.Random(1), 0, 0
    seconds = measured(tmp_path / "measured", data, options, Path("/tmp"))
    straight = SearchResult.load(tmp_path / "measured")
    while done < kills:
        survivor = Survivor(tmp_path / f"run {runs}", data, options, draw)
        survivor.survive(seconds)
        runs, done = runs + 1, done + survivor.kills
        result = SearchResult.load(survivor.run.root)
        assert [t.number for t in result.history] == list(range(len(straight.history)))
        assert {t.fingerprint for t in result.history} == {t.fingerprint for t in straight.history}
        assert {t.status for t in result.history} <= {"complete", "pruned"}
        check_weights(result)
