"""Samples of any shape and type, in memory or in files; evenly spread rows."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoaug.data.inputs import (
    ConvertedInputs,
    FileInputs,
    Inputs,
    MappedInputs,
    MemoryInputs,
    in_blocks,
    in_memory,
    pick,
    spread_rows,
    take_ahead,
)


class Halves:
    """Reads the first half of each file."""

    shape, dtype = (2, 3), np.dtype(np.int32)

    def read(self, path: Path) -> np.ndarray:
        array: np.ndarray = np.load(path)[:, :3]
        return array

    def rewritten(self, path: Path) -> np.ndarray | None:
        return self.read(path)


def doubled(array: np.ndarray) -> np.ndarray:
    return (2 * array).astype(np.float64)


SERIES = np.random.default_rng(0).integers(-999, 999, (9, 2, 6)).astype(np.int32)


def kinds(folder: Path) -> dict[str, tuple[Inputs, np.ndarray]]:
    """Inputs of each kind, with what they hold."""
    np.save(folder / "all.npy", SERIES)
    for number, one in enumerate(SERIES):
        np.save(folder / f"{number}.npy", one)
    paths = tuple(str(folder / f"{number}.npy") for number in range(9))
    return {
        "memory": (MemoryInputs(SERIES), SERIES),
        "mapped": (MappedInputs(str(folder / "all.npy"), np.arange(9)), SERIES),
        "converted": (
            ConvertedInputs(MappedInputs(str(folder / "all.npy"), np.arange(9)[::-1]), doubled),
            2.0 * SERIES[::-1],
        ),
        "files": (FileInputs(paths, Halves()), SERIES[:, :, :3]),
    }


@pytest.mark.parametrize("kind", ["memory", "mapped", "converted", "files"])
def test_inputs_keep_any_shape_and_type(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, expected = kinds(tmp_path)[kind]
    rows = np.array([4, 0, 7])
    assert (len(inputs), inputs.shape, inputs.dtype) == (9, expected.shape[1:], expected.dtype)
    for read in (
        inputs.take(rows),
        pick(inputs, rows).take(np.arange(3)),
        pickle.loads(pickle.dumps(inputs)).take(rows),
    ):
        np.testing.assert_array_equal(read, expected[rows])
        assert read.dtype == expected.dtype
    nothing = inputs.take(rows[:0])
    assert (nothing.shape, nothing.dtype) == ((0, *inputs.shape), inputs.dtype)
    assert type(pick(inputs, rows)) is type(inputs), "picked samples stay where they lie"
    monkeypatch.setattr("autoaug.data.inputs._AT_ONCE", 2)
    whole = in_memory(inputs).array
    np.testing.assert_array_equal(whole, expected)
    assert whole.dtype == expected.dtype


def test_reading_ahead_keeps_the_order(tmp_path: Path) -> None:
    batches = [np.array([3, 1]), np.array([8]), np.array([0, 0, 2])]
    taken = list(take_ahead(kinds(tmp_path)["mapped"][0], batches))
    for block, rows in zip(taken, batches, strict=True):
        np.testing.assert_array_equal(block, SERIES[rows])


def test_what_is_mapped_crosses_process_borders_without_its_values(tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.zeros((5, 10_000)))
    inputs = MappedInputs(str(tmp_path / "large.npy"), np.arange(5))
    inputs.take(np.arange(3))
    assert inputs.shape == (10_000,)
    assert len(pickle.dumps(inputs)) < 1000


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_spread_rows_are_distinct_ascending_and_reach_both_ends(count: int, at_most: int) -> None:
    rows: Any = spread_rows(count, at_most)
    assert rows.dtype == np.int64
    assert len(rows) == min(count, at_most)
    np.testing.assert_array_equal(rows, np.unique(rows))
    if len(rows) > 1:
        assert (rows[0], rows[-1]) == (0, count - 1)
        assert np.ptp(np.diff(rows)) <= 1, "the gaps differ by one row at most"


class Huge(MemoryInputs):
    """Samples of 32 MiB each, which stand for large photographs."""

    def __init__(self) -> None:
        super().__init__(np.zeros((9, 1), np.uint8))
        object.__setattr__(self, "most", 0)

    @property
    def shape(self) -> tuple[int, ...]:
        return (2**25,)

    def take(self, indices: np.ndarray) -> np.ndarray:
        object.__setattr__(self, "most", max(self.most, len(indices)))  # type: ignore[attr-defined]
        return np.broadcast_to(np.uint8(0), (len(indices), *self.shape))


def test_blocks_take_little_memory_whatever_the_size_of_a_sample() -> None:
    inputs = Huge()
    assert sum(map(len, in_blocks(inputs))) == 9
    assert inputs.most <= 2  # type: ignore[attr-defined]
