"""When a search says that hardly anything is left to gain, it is right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoaug.policy.loading import load_policy
from autoaug.search.space import load_space
from autoaug.search.strategies.base import TrialRecord
from autoaug.search.strategies.stopping import chance_of_gain
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
    said = [error for error in np.linspace(0.001, 0.5, 500) if chance_of_gain([baseline(1 - error)], 0.25, LEAST) < 0.1]
    assert 0.015 < max(said) < 0.03, "it is said where errors are this rare"
    for error in said:
        assert np.mean([share * error >= LEAST for share in SHARES.values()]) <= 0.1


def test_it_is_not_said_where_there_is_much_to_gain() -> None:
    for error in (0.03, 0.05, 0.2, 1.0):
        gained = np.mean([share * error >= LEAST for share in SHARES.values()])
        assert chance_of_gain([baseline(1 - error)], 0.25, LEAST) > max(0.1, gained / 2)


@pytest.mark.slow
def test_the_shares_are_those_of_the_table() -> None:
    table = TableFile(TABLE)
    known = [load_policy(name).fingerprint() for name in load_space("standard").baselines[:5]]
    for name, share in SHARES.items():
        quarter, full = (table.accuracies(name, fidelity) for fidelity in ("quarter", "full"))
        before, after = (max(scores[mark] for mark in known if mark in scores) for scores in (quarter, full))
        assert (max(full.values()) - after) / (1 - before) == pytest.approx(share, abs=0.001)


def test_only_baselines_under_the_same_conditions_count() -> None:
    assert chance_of_gain([], 0.25, LEAST) > 0.9
    others = [baseline(1.0, 1.0), baseline(1.0, seed_index=1), baseline(None), record(1, "own", 1.0)]
    assert chance_of_gain([baseline(0.5), *others], 0.25, LEAST) == chance_of_gain([baseline(0.5)], 0.25, LEAST)
    assert chance_of_gain([baseline(0.5), baseline(0.99)], 0.25, LEAST) < 0.1


def test_nothing_can_be_gained_on_a_perfect_score() -> None:
    assert chance_of_gain([baseline(1.0)], 0.25, LEAST) == 0
