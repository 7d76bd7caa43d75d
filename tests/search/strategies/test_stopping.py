"""When a search says that hardly anything is left to gain, it is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoaug.policy.loading import load_policy
from autoaug.search.space import load_space
from autoaug.search.strategies.base import TrialRecord
from autoaug.search.strategies.stopping import chance_by_error, chance_by_trials, chance_of_gain
from benchmarks.table_file import TableFile
from tests.search.strategies.test_shrinkage import record

TABLE = Path(__file__).parents[3] / "reports" / "table.npz"
LEAST = 0.005
#: What the best policy of the published table gains over the best baseline, as a share of the error that this one
#: leaves on a quarter of the data.
SHARES = {
    "trashnet": 0.0,
    "digits": 0.239,
    "signdigits": 0.173,
    "oracle": 0.006,
    "omniglot": 0.063,
    "fsdd": 0.358,
    "fashion-1k": 0.008,
    "deeppcb": 0.197,
    "coins": 0.048,
    "cifar-2k": 0.0,
}


def baseline(score: float | None, data_fraction: float = 0.25, seed_index: int = 0) -> TrialRecord:
    return replace(record(0, "known", score, data_fraction, seed_index), is_baseline=True)


def test_where_the_search_is_said_to_be_vain_it_is_in_nine_of_ten_sets() -> None:
    said = [
        error for error in np.linspace(0.001, 0.5, 500) if chance_by_error([baseline(1 - error)], 0.25, LEAST) < 0.1
    ]
    assert 0.015 < max(said) < 0.03, "it is said where errors are this rare"
    for error in said:
        assert np.mean([share * error >= LEAST for share in SHARES.values()]) <= 0.1


def test_it_is_not_said_where_there_is_much_to_gain() -> None:
    for error in (0.03, 0.05, 0.2, 1.0):
        gained = np.mean([share * error >= LEAST for share in SHARES.values()])
        assert chance_by_error([baseline(1 - error)], 0.25, LEAST) > max(0.1, gained / 2)


@pytest.mark.slow
def test_the_shares_are_those_of_the_table() -> None:
    table = TableFile(TABLE)
    known = [load_policy(name).fingerprint() for name in load_space("standard").baselines[:5]]
    for name, share in SHARES.items():
        quarter, full = (table.accuracies(name, fidelity) for fidelity in ("quarter", "full"))
        before, after = (max(scores[mark] for mark in known if mark in scores) for scores in (quarter, full))
        assert (max(full.values()) - after) / (1 - before) == pytest.approx(share, abs=0.001)


def test_only_baselines_under_the_same_conditions_count() -> None:
    assert chance_by_error([], 0.25, LEAST) > 0.9
    others = [baseline(1.0, 1.0), baseline(1.0, seed_index=1), baseline(None), record(1, "own", 1.0)]
    assert chance_by_error([baseline(0.5), *others], 0.25, LEAST) == chance_by_error([baseline(0.5)], 0.25, LEAST)
    assert chance_by_error([baseline(0.5), baseline(0.99)], 0.25, LEAST) < 0.1


def test_nothing_can_be_gained_on_a_perfect_score() -> None:
    assert chance_by_error([baseline(1.0)], 0.25, LEAST) == 0


@pytest.mark.parametrize("best", [0.8, 0.98])
def test_when_hardly_anything_is_left_to_gain_is_said_rightly(best: float) -> None:
    """A simulation of spaces: 12 of 40 policies were tried once. Where the chance of half a point is said to be below a
    tenth, it is there in at most one of ten.
    """
    draw, low, all_gains = np.random.default_rng(0), [], []
    unit = 2 * np.sqrt(best * (1 - best))
    for _ in range(300):
        middle, width = unit * draw.normal(-0.04, 0.03), unit * draw.uniform(0.002, 0.02)
        truth = np.append(0, draw.normal(middle, width, 40))
        scores = best + truth[:13] + draw.normal(0, 0.0125 * unit, 13)
        baseline = replace(record(0, "known", scores[0]), is_baseline=True)
        trials = [baseline, *(record(i, str(i), score) for i, score in enumerate(scores[1:], 1))]
        all_gains.append(truth[1:].max() >= 0.005)
        if chance_by_trials(trials, 0.25, 28, 0.005) < 0.1:
            low.append(all_gains[-1])
    assert 0.05 < np.mean(all_gains) < 0.9, "both happen"
    assert len(low) > 30, "it is said at all"
    assert np.mean(low) < 0.1


def test_with_few_trials_nothing_is_said() -> None:
    baseline = replace(record(0, "known", 0.99), is_baseline=True)
    assert chance_by_trials([baseline, *(record(i, str(i), 0.1) for i in range(1, 8))], 0.25, 10, 0.005) == 1
    assert chance_by_trials([record(i, str(i), 0.1) for i in range(20)], 0.25, 10, 0.005) == 1
    alike = [record(i, str(i), 0.1) for i in range(1, 20)]
    assert chance_by_trials([baseline, *alike], 0.25, 10, 0.005) < 0.01
    assert chance_by_trials([baseline, *alike], 1.0, 10, 0.005) == 1, "on another share of the data"


def test_where_nothing_was_learned_nothing_is_said() -> None:
    """On few samples the worst class may have a recall of 0 with any policy, which says nothing of all of them."""
    trials = [baseline(0.0), *(record(i, str(i), 0.0) for i in range(1, 20))]
    assert chance_by_trials(trials, 0.25, 10, LEAST) == 1
    assert chance_of_gain(trials, 0.25, 10, LEAST) == chance_by_error(trials, 0.25, LEAST) > 0.9


def test_the_lower_chance_counts() -> None:
    behind = [baseline(0.9), *(record(i, str(i), 0.1) for i in range(1, 20))]
    assert chance_of_gain(behind, 0.25, 10, LEAST) < 0.01 < 0.1 < chance_by_error(behind, 0.25, LEAST)
    near = [baseline(0.99)]
    assert chance_of_gain(near, 0.25, 10, LEAST) == chance_by_error(near, 0.25, LEAST) < 0.1
