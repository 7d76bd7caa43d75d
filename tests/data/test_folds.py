"""Folds are stratified, keep together what belongs together, and are nothing that the search has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoaug.data.audit import audit
from autoaug.data.folds import check_count
from autoaug.data.inputs import MemoryInputs
from autoaug.data.layouts.arrays import array_source
from autoaug.data.source import Source
from autoaug.data.splits import DataSet, split
from autoaug.errors import AutoaugError, OptionError
from tests.data.test_splits import PLENTY, numbered, numbers, splits


def with_folds(source: Source, count: int, seed: int = 0) -> DataSet:
    return split(source, audit(source), seed, PLENTY, folds=count)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 6), st.integers(80, 240), st.booleans())
def test_in_turn_every_sample_that_the_search_has_not_seen_is_tested_once(count: int, n: int, grouped: bool) -> None:
    labels = np.arange(n) % 3
    groups = np.arange(n) // 3 if grouped else None
    data = with_folds(numbered(labels, groups), count)
    train, validation, test = numbers(data)
    assert train | validation | test == set(range(n))
    assert len(train) + len(validation) + len(test) == n
    assert abs(len(test) - n / 2) <= 6
    assert data.folds is not None
    folds = data.folds.of(range(2 * count))
    for turn in (0, count):
        rows = [folds[seed] for seed in range(turn, turn + count)]
        assert sorted(np.concatenate(rows)) == list(range(len(test)))
        for own in rows:
            shares = np.bincount(data.test.labels[own], minlength=3)
            assert shares.max() - shares.min() <= (3 if grouped else 2)
        if grouped:
            of_fold = [set(data.test.groups[own]) for own in rows]
            assert sum(map(len, of_fold)) == len(set.union(*of_fold))
    assert any(not np.array_equal(folds[i], folds[i + count]) for i in range(count)), "they are cut anew"


@settings(deadline=None, max_examples=100)
@given(st.integers(14, 100), st.integers(2, 8), st.integers(0, 100), st.sampled_from(["numbers", "labels", "classes"]))
@example(90, 6, 0, "numbers")  # whose strata have five samples
@example(26, 2, 17, "numbers")  # those that are alone are fewer than the strata
def test_small_data_of_any_labels_are_divided_or_refused(n: int, count: int, largest: int, kind: str) -> None:
    """With a group that has most of the samples, and all others alone."""
    draw = np.random.default_rng(n * count)
    labels = {
        "numbers": draw.normal(size=(n, 2)).astype(np.float32),
        "labels": draw.random((n, 2)) < 0.4,
        "classes": draw.integers(0, 2, n),
    }[kind]
    groups = np.maximum(0, np.arange(n) - largest)
    part = replace(numbered(np.arange(n) % 2, groups).parts["train"], labels=labels)
    try:
        data = with_folds(Source("small", ("a", "b"), {"train": part}), count)
    except AutoaugError:
        return
    assert data.folds is not None
    rows = data.folds.of(range(count)).values()
    assert sorted(np.concatenate(list(rows))) == list(range(len(data.test)))
    own = [set(groups[list(role)].tolist()) for role in numbers(data)]
    assert sum(map(len, own)) == len(set.union(*own))


def test_the_half_that_is_tested_is_the_same_for_all_seeds_and_has_what_is_tested_without_folds() -> None:
    source = numbered(np.arange(240) % 3)
    first, other, plain = (numbers(data) for data in (*(with_folds(source, 5, s) for s in (0, 7)), splits(source, 7)))
    assert first[2] == other[2] > plain[2]
    assert first[1] != other[1]


def test_copies_are_in_no_fold() -> None:
    source = numbered(np.arange(240) % 3, np.arange(240) % 120)
    part = replace(source.parts["train"], augmented=np.arange(240) >= 120)
    data = with_folds(Source(source.name, source.classes, {"train": part}), 4)
    assert max(numbers(data)[2]) < 120
    assert not set(data.test.groups) & set(data.train.groups)
    assert max(numbers(data)[0]) >= 120


@pytest.mark.parametrize(
    ("labels", "groups", "count", "words"),
    [
        ([0] * 60 + [1] * 14, None, 8, r"--folds 8: class 'b' has 7 samples.*pass --folds 7 or less, or add samples"),
        ([0, 1] * 40, np.arange(80) // 10, 5, r"--folds 5: class 'a' has 4 samples or groups.*pass --folds 4 or less"),
    ],
)
def test_more_folds_than_the_rarest_class_allows_are_refused(
    labels: list[int], groups: np.ndarray | None, count: int, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        with_folds(numbered(np.array(labels), groups), count)


def test_a_class_that_is_in_one_group_has_no_folds() -> None:
    with pytest.raises(OptionError, match=r"--folds 2: class 'b' has 1 samples or groups.*; leave --folds out, or add"):
        check_count(2, np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]), ("a", "b"))


def test_folds_of_a_given_test_split_are_refused() -> None:
    part = numbered(np.arange(60) % 3).parts["train"]
    inputs = MemoryInputs(np.full((9, 1, 2, 1), 255, np.uint8))
    test = array_source("test", ("a", "b", "c"), {"train": (inputs, np.arange(9) % 3)}).parts["train"]
    with pytest.raises(OptionError, match=r"--folds 3: numbered has its own test split.*leave --folds out"):
        with_folds(Source("numbered", ("a", "b", "c"), {"train": part, "test": test}), 3)
