"""The folds that the seeds of a confirmation are validated on in turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autoaug.data.folds import Folds, are_even
from autoaug.data.loading import check_data
from autoaug.data.splits import DataSet
from autoaug.modalities.base import AS_SUITS
from tests.conftest import bars, write_npz

LIMIT = 2**30


def opened(path: Path, allow: tuple[str, ...] = ()) -> DataSet:
    return check_data(str(path), LIMIT, AS_SUITS, allow, 0)[1]


def test_all_that_a_search_sees_is_validated_on_once_and_each_class_is_in_every_part(tmp_path: Path) -> None:
    images, labels = bars(120)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels)
    data = opened(tmp_path / "a.npz")
    assert data.validation_folds is not None
    seen = np.concatenate([data.train.labels, data.validation.labels])
    folds = data.validation_folds.of([5, 6, 7, 8, 9])
    assert np.sort(np.concatenate([folds[seed] for seed in (5, 6, 7, 8)])).tolist() == list(range(len(seen)))
    sizes = [len(rows) for rows in folds.values()]
    assert max(sizes) - min(sizes) <= 1
    for rows in folds.values():
        assert set(seen[rows]) == set(np.delete(seen, rows)) == {0, 1, 2}
    assert folds[9].tolist() != folds[5].tolist(), "the samples are divided anew"


def test_groups_stay_together(tmp_path: Path) -> None:
    images, labels = bars(160)
    groups = np.arange(160) % 16
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels, g_train=groups.astype(str))
    data = opened(tmp_path / "a.npz")
    assert data.validation_folds is not None
    assert data.train.groups is not None
    assert data.validation.groups is not None
    names = np.concatenate([data.train.groups, data.validation.groups])
    for rows in data.validation_folds.of([0, 1, 2, 3]).values():
        assert not set(names[rows]) & set(np.delete(names, rows))


@pytest.mark.parametrize("what", ["a given split", "a class in two groups", "a large group", "a large split"])
def test_there_are_none_of(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = bars(120)
    arrays = {"x_train": images, "y_train": labels}
    if what == "a given split":
        arrays |= {"x_val": images[:30] ^ 1, "y_val": labels[:30]}
    if what == "a class in two groups":
        arrays["g_train"] = np.where(labels == 0, np.arange(120) // 3 % 3, np.arange(120)).astype(str)
    if what == "a large group":
        arrays |= {"x_test": bars(60, seed=1)[0], "y_test": bars(60, seed=1)[1]}
        arrays["g_train"] = np.maximum(0, np.arange(120) - 60).astype(str)
        arrays["g_test"] = np.array(["of the test"] * 30 + ["of it, too"] * 30)
    if what == "a large split":
        monkeypatch.setattr("autoaug.data.splits._ENOUGH", 10)
    np.savez(tmp_path / "a.npz", **arrays)
    assert opened(tmp_path / "a.npz").validation_folds is None


def test_nor_of_data_with_augmented_copies(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "a.npz", c_train=np.arange(120) >= 115)
    assert opened(path).validation_folds is None


def test_where_folds_are_whole_they_are_so_for_as_many_seeds_as_may_be() -> None:
    """Groups are of one class each, and of some classes there are few: then a later turn may put them together."""
    outcomes = set()
    for number in range(12):
        draw = np.random.default_rng(number)
        labels = np.repeat(draw.integers(0, 3, 18 + number), draw.integers(1, 6, 18 + number))
        units = np.cumsum(np.concatenate([[0], labels[1:] != labels[:-1]]))
        folds = Folds(4, labels, units, turns=3)
        whole = are_even(folds, labels, "abc")
        parts = [part for rows in folds.of(range(100)).values() for part in (labels[rows], np.delete(labels, rows))]
        largest = max(len(rows) for rows in folds.of(range(100)).values())
        assert whole == (largest <= 1.5 * len(labels) / 4 and all(set(part) == {0, 1, 2} for part in parts))
        outcomes.add(whole)
    assert outcomes == {True, False}
