"""Splits are stratified, seeded and disjoint, and keep groups together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoaug.data.audit import audit
from autoaug.data.inputs import MemoryInputs, in_memory
from autoaug.data.layouts.arrays import array_source
from autoaug.data.loading import open_source
from autoaug.data.source import Part, Source
from autoaug.data.split_findings import split_findings
from autoaug.data.splits import DataSet, split
from autoaug.errors import DataError
from tests.conftest import bars, write_npz

PLENTY = 10**9


def numbered(labels: np.ndarray, groups: np.ndarray | None = None) -> Source:
    """A source whose images all differ: pixel values spell their number."""
    n = len(labels)
    images = np.stack([np.arange(n) // 256, np.arange(n) % 256], 1).astype(np.uint8)[:, None, :, None]
    source = array_source("numbered", tuple("abcdefgh"[: labels.max() + 1]), {"train": (MemoryInputs(images), labels)})
    part = source.parts["train"]
    return Source(source.name, source.classes, {"train": Part(part.inputs, labels, groups, part.names)})


def numbers(data: DataSet) -> list[set[int]]:
    """The numbers in train, validation and test."""
    parts = (data.train, data.validation, data.test)
    return [{int(a) * 256 + int(b) for a, b in in_memory(p.inputs).array.reshape(-1, 2)} for p in parts]


@pytest.mark.parametrize("named", ["g_train", "train_groups", "groups_train", "Groups_Train"])
def test_groups_of_an_npz_stay_together(tmp_path: Path, named: str) -> None:
    """Under a name that was not known, they were left out with a note, and groups were in two splits."""
    images = np.random.default_rng(0).integers(0, 256, (120, 4, 4), dtype=np.uint8)
    arrays = {"x_train": images, "y_train": np.arange(120) % 2, named: np.arange(120) // 6}
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    data = splits(open_source(tmp_path / "a.npz", PLENTY))
    groups = [set(part.groups) for part in (data.train, data.validation, data.test)]
    assert len(set.union(*groups)) == 20 == sum(map(len, groups))


def splits(source: Source, seed: int = 0) -> DataSet:
    return split(source, audit(source), seed, PLENTY)


@settings(deadline=None, max_examples=25)
@given(st.integers(40, 300), st.integers(2, 4), st.integers(0, 99))
def test_held_out_splits_are_disjoint_complete_stratified_and_seeded(n: int, classes: int, seed: int) -> None:
    labels = np.arange(n) % classes
    data = splits(numbered(labels), seed)
    train, validation, test = numbers(data)
    assert train | validation | test == set(range(n))
    assert len(train) + len(validation) + len(test) == n
    assert abs(len(test) - n / 4) <= 1
    for samples in (data.train, data.validation, data.test):
        counts = np.bincount(samples.labels, minlength=classes)
        assert counts.max() - counts.min() <= 2
    assert numbers(splits(numbered(labels), seed)) == [train, validation, test]
    assert numbers(splits(numbered(labels), seed + 1)) != [train, validation, test]


@pytest.mark.parametrize("grouped", [False, True])
def test_no_seed_is_tested_on_what_another_was_trained_or_validated_on(grouped: bool) -> None:
    """Drawn anew with each seed, 346 of 450 test images of seed 1 were trained on under seed 0."""
    source = numbered(np.arange(240) % 3, np.arange(240) // 4 if grouped else None)
    first, *others = (numbers(splits(source, seed)) for seed in (0, 1, 2, 2**32 - 1))
    for train, validation, test in others:
        assert test == first[2]
        assert train != first[0]
        assert not test & (first[0] | first[1] | train | validation)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 99))
def test_groups_never_straddle(seed: int) -> None:
    labels = np.arange(240) % 3
    groups = np.random.default_rng(seed).integers(0, 40, 240).astype(str)
    for first, second in [(0, 1), (0, 2), (1, 2)]:
        parts = numbers(splits(numbered(labels, groups), seed))
        assert not {groups[i] for i in parts[first]} & {groups[i] for i in parts[second]}


def test_exact_copies_never_straddle() -> None:
    images, labels = bars(60)
    twice = np.concatenate([images, images]).transpose(0, 3, 1, 2)
    source = array_source("twice", ("a", "b", "c"), {"train": (MemoryInputs(twice), np.concatenate([labels, labels]))})
    data = splits(source)
    parts = [{p.tobytes() for p in in_memory(s.inputs).array} for s in (data.train, data.validation, data.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_given_parts_are_kept(tmp_path: Path) -> None:
    images, labels = bars(30, seed=5)
    source = open_source(write_npz(tmp_path / "a.npz", x_val=images, y_val=labels), PLENTY)
    data = splits(source)
    assert len(data.train) == 120
    np.testing.assert_array_equal(in_memory(data.validation.inputs).array, images.transpose(0, 3, 1, 2))
    assert len(data.test) == 60


def test_on_disk_and_in_memory_splits_are_the_same(npz: Path) -> None:
    planted_splits = {}
    for limit in (PLENTY, 10):
        source = open_source(npz, limit)
        data = split(source, audit(source), 0, limit)
        planted_splits[limit] = [in_memory(s.inputs).array for s in (data.train, data.validation, data.test)]
        assert isinstance(data.train.inputs, MemoryInputs) == (limit == PLENTY)
    for ours, theirs in zip(planted_splits[PLENTY], planted_splits[10], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.fault("data", "tiny classes")
def test_a_class_with_too_few_samples_is_named() -> None:
    labels = np.array([0] * 40 + [1] * 5)
    with pytest.raises(DataError, match=r"class 'b' has 5 of the 10 training samples that are needed"):
        splits(numbered(labels))


def test_with_folds_it_is_told_what_so_many_samples_are_for() -> None:
    source = numbered(np.array([0] * 40 + [1] * 12))
    with pytest.raises(
        DataError,
        match=r"12 of the 14 training samples that are needed to hold out a validation split and a test split "
        r"\(of twice the size, for --folds\) \(add samples, leave --folds out, or leave the class out\)",
    ):
        split(source, audit(source), 0, PLENTY, folds=2)


@pytest.mark.parametrize("folds", [None, 2])
@pytest.mark.parametrize(("count", "words"), [(1, "a single group, 'p0'"), (2, "2 groups, such as 'p0'")])
def test_a_class_with_fewer_groups_than_splits_is_named(folds: int | None, count: int, words: str) -> None:
    labels = np.array([0] * 40 + [1] * 40)
    groups = np.array([f"a{i}" for i in range(40)] + [f"p{i % count}" for i in range(40)])
    source = numbered(labels, groups)
    with pytest.raises(DataError, match=rf"class 'b' are in {words};.* 3 are needed to hold out a val.*--allow absent"):
        split(source, audit(source), 0, PLENTY, folds=folds)


def test_a_test_split_of_one_group_is_refused_by_what_judges_with_it(tmp_path: Path) -> None:
    images, labels = bars(60, seed=5)
    own = {"x_test": images, "y_test": labels, "g_train": np.arange(120) // 10}
    data = splits(open_source(write_npz(tmp_path / "a.npz", **own, g_test=np.full(60, "p1")), PLENTY))
    with pytest.raises(DataError, match=r"has only group 'p1', .* two or more; add groups, or, if"):
        data.check_test_groups()
    grouped = splits(numbered(np.arange(120) % 3, np.arange(120) // 3 % 4))
    assert grouped.test_groups == 1
    with pytest.raises(DataError, match=r"add groups, pass --folds 2 or more, or, if"):
        grouped.check_test_groups()
    alone = splits(open_source(write_npz(tmp_path / "b.npz", **own, g_test=np.arange(60) + 100), PLENTY))
    assert alone.test_groups is None, "each sample is its own group"
    alone.check_test_groups()


def test_a_group_of_copies_is_called_so_and_not_by_its_digest(tmp_path: Path) -> None:
    images, labels = bars(12, seed=5)
    images[:6] = images[0]
    own = {"x_test": images, "y_test": np.where(np.arange(12) < 6, labels[0], labels)}
    messages = [f.message for f in split_findings(splits(open_source(write_npz(tmp_path / "a.npz", **own), PLENTY)))]
    assert any(words.startswith("the group of copies of one sample has 5") for words in messages), messages


@pytest.mark.parametrize("count", [3, 4, 5, 7])
def test_few_groups_are_split_too(count: int) -> None:
    labels = np.arange(120) % 3
    groups = np.array([f"g{i // 3 % count}" for i in range(120)])
    data = splits(numbered(labels, groups))
    groups_by_split = [set(part.groups) for part in (data.train, data.validation, data.test)]
    assert len(set.union(*groups_by_split)) == count == sum(map(len, groups_by_split))


@pytest.mark.parametrize(("count", "words"), [(1, "a single group"), (2, "2 groups")])
def test_too_few_groups_are_named(count: int, words: str) -> None:
    labels = np.arange(120) % 3
    with pytest.raises(DataError, match=rf"class 'a' are in {words}, "):
        splits(numbered(labels, np.array([f"g{i // 3 % count}" for i in range(120)])))


def test_one_image_copied_over_and_over_is_too_few_groups() -> None:
    images = np.repeat(np.arange(2, dtype=np.uint8), 20)[:, None, None, None] * np.ones((1, 1, 4, 4), np.uint8)
    source = array_source("copies", ("a", "b"), {"train": (MemoryInputs(images), np.arange(40) // 20)})
    with pytest.raises(
        DataError, match=r"the 20 training samples of class 'a' are copies of 1 sample; .* 3 are needed"
    ):
        splits(source)


@pytest.mark.parametrize("folds", [None, 2])
@pytest.mark.parametrize("seed", range(3))
def test_all_splits_have_a_class_that_few_groups_have(seed: int, folds: int | None) -> None:
    """Drum kits, of which only as many have a cymbal as there are splits."""
    having = 3 + (folds is not None)
    kits = np.repeat(np.arange(20), 12)
    labels = np.where((kits < having) & (np.arange(240) % 12 < 4), 1, 0)
    data = split(source := numbered(labels, kits.astype(str)), audit(source), seed, PLENTY, folds=folds)
    for part in (data.train, data.validation, data.test):
        assert set(part.labels) == {0, 1}
    assert set.union(*numbers(data)) == set(range(240))


def test_a_held_out_split_may_lack_a_class_where_that_is_allowed() -> None:
    labels = np.array([0] * 80 + [1] * 20)
    groups = np.array(["large"] * 40 + [f"small{i // 8}" for i in range(40)] + ["only"] * 20)
    part = numbered(labels, groups).parts["train"]
    source = Source("numbered", ("a", "b"), {"train": part, "test": part})
    with pytest.raises(DataError, match=r"2 are needed to hold out a validation split .*--allow absent"):
        splits(source)
    data = split(source, audit(source), 0, PLENTY, frozenset({"absent"}))
    assert [set(part.labels) for part in (data.train, data.validation)] == [{0, 1}, {0}]


@pytest.mark.parametrize("role", ["val", "test"])
def test_a_given_split_may_lack_a_class_where_that_is_allowed(role: str, tmp_path: Path) -> None:
    images, labels = bars(30, seed=5)
    kept = labels != 1
    part = {f"x_{role}": images[kept], f"y_{role}": labels[kept]}
    source = open_source(write_npz(tmp_path / "a.npz", **part), PLENTY)
    audited = audit(source)
    with pytest.raises(DataError, match=r"split has no sample of class '1'; add samples \(or pass --allow absent\)"):
        audited.stop()
    audited.stop(frozenset({"absent"}))
    data = split(source, audited, 0, PLENTY, frozenset({"absent"}))
    assert set({"val": data.validation, "test": data.test}[role].labels) == {0, 2}


def test_a_class_that_training_lacks_is_refused_whatever_is_allowed(tmp_path: Path) -> None:
    images, labels = bars(30, seed=5)
    with pytest.raises(DataError, match="class '5' is not in the training part"):
        open_source(write_npz(tmp_path / "a.npz", x_test=images, y_test=labels + 5), PLENTY)


def test_the_largest_seed_splits() -> None:
    data = splits(numbered(np.arange(40) % 2), 2**32 - 1)
    assert set.union(*numbers(data)) == set(range(40))


def test_copies_of_a_sample_are_a_group(tmp_path: Path) -> None:
    """Each is met with the luck of the sample, however often it was copied."""
    images, labels = bars(60, seed=5)
    path = write_npz(tmp_path / "bars.npz", x_test=np.repeat(images[:20], 5, 0), y_test=np.repeat(labels[:20], 5))
    source = open_source(path, PLENTY)
    data = split(source, audit(source), 0, PLENTY)
    assert len(data.test) == 100
    assert data.test_groups == 20
    assert data.test.groups is not None
    assert len(np.unique(data.test.groups.reshape(20, 5), axis=1)[0]) == 1


@pytest.mark.parametrize("kind", ["numbers", "labels"])
def test_augmented_copies_do_not_make_strata_of_few_originals(kind: str) -> None:
    """Such data ended in an error of scikit-learn: a stratum of eight samples may have a single original."""
    n, copies = 60, 7
    draw = np.random.default_rng(0)
    labels = draw.normal(size=(n, 1)).astype(np.float32) if kind == "numbers" else draw.random((n, 4)) < 0.4
    inputs = MemoryInputs(draw.integers(0, 256, (n * (1 + copies), 4, 4, 1), dtype=np.uint8))
    names, augmented = np.tile(np.arange(n), 1 + copies), np.arange(n * (1 + copies)) >= n
    part = Part(inputs, labels[names], names.astype(str), tuple(map(str, names)), augmented)
    data = splits(Source("expanded", tuple("abcd"[: labels.shape[1]]), {"train": part}))
    alone = splits(
        Source("alone", data.classes, {"train": Part(MemoryInputs(inputs.array[:n]), labels, None, part.names[:n])})
    )
    for held_out, expected in ((data.validation, alone.validation), (data.test, alone.test)):
        np.testing.assert_array_equal(in_memory(held_out.inputs).array, in_memory(expected.inputs).array)
    assert len(data.train) == len(alone.train) * (1 + copies)


def test_a_group_with_most_of_the_test_samples_is_warned_of(tmp_path: Path) -> None:
    images, labels = bars(60, seed=5)
    groups = np.array(["big"] * 48 + [f"p{i}" for i in range(12)])
    path = write_npz(
        tmp_path / "bars.npz", x_test=images, y_test=labels, g_test=groups, g_train=[f"t{i}" for i in range(120)]
    )
    source = open_source(path, PLENTY)
    findings = split_findings(split(source, audit(source), 0, PLENTY))
    assert any("'big' has 80 % of the test samples" in finding.message for finding in findings)


def test_a_class_whose_test_samples_are_of_one_group_is_warned_of(tmp_path: Path) -> None:
    images, labels = bars(60, seed=5)
    groups = np.where(labels == 1, "only", np.arange(60).astype(str))
    path = write_npz(
        tmp_path / "bars.npz", x_test=images, y_test=labels, g_test=groups, g_train=[f"t{i}" for i in range(120)]
    )
    source = open_source(path, PLENTY)
    data = split(source, audit(source), 0, PLENTY)
    found = [finding.message for finding in split_findings(data) if finding.code == "lone-class"]
    assert len(found) == 1
    assert found[0].startswith(f"all test samples of {data.classes[1]!r} are of one group")
