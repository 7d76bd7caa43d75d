"""Temporary disk space lasts as long as the data that are in it, and no longer."""

from __future__ import annotations

import gc
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoaug.data.inputs import pick
from autoaug.data.loading import open_source
from autoaug.data.spill import SpillFolder
from tests.data.test_damaged import IMAGES, write_idx_folder, write_npz, write_tar

#: What writes a small data set, and gives the path of it.
WRITTEN: dict[str, Callable[[Path], Path]] = {
    "tar": lambda root: write_tar(root / "a.tar"),
    "npz": lambda root: write_npz(root / "a.npz"),
    "idx.gz": lambda root: write_idx_folder(root / "idx", ".gz").parent,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    (tmp_path / "place").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "place"))
    return tmp_path / "place"


def files(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", WRITTEN)
def test_data_that_are_opened_often_take_room_once(kind: str, tmp_path: Path, place: Path) -> None:
    path = WRITTEN[kind](tmp_path)
    held = [open_source(path, 0)]
    descriptors, there = len(os.listdir("/proc/self/fd")), len(files(place))
    assert there
    for _ in range(5):
        held.clear()
        gc.collect()
        assert not files(place), "they went away with the data"
        held.append(open_source(path, 0))
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert len(files(place)) == there
    assert len(list(place.iterdir())) == 1, "one folder per process"
    assert len(list(next(place.iterdir()).iterdir())) <= 2, "and in it one per array"


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_picked_from_data_keeps_their_files(kind: str, tmp_path: Path, place: Path) -> None:
    inputs = pick(open_source(WRITTEN[kind](tmp_path), 0).parts["train"].inputs, np.array([3, 1]))
    gc.collect()
    elsewhere = pickle.loads(pickle.dumps(inputs))
    expected = IMAGES[[3, 1]].transpose(0, 3, 1, 2)[:, : inputs.shape[0]]
    np.testing.assert_array_equal(inputs.take(np.arange(2)), expected)
    np.testing.assert_array_equal(elsewhere.take(np.arange(2)), expected)
    del elsewhere
    gc.collect()
    assert files(place), "a worker that ends does not take the data of others with it"


def test_a_forked_child_leaves_the_files_of_its_parent(place: Path) -> None:
    folder = SpillFolder()
    (folder.path / "file").touch()
    child = os.fork()
    if not child:
        try:
            del folder
            gc.collect()
            new = SpillFolder()
            os._exit(0 if new.path.is_dir() and len(list(place.iterdir())) == 2 else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0, "the child has a folder of its own"
    assert files(place)


def test_a_folder_that_was_cleaned_away_is_made_again(place: Path) -> None:
    os.rename(SpillFolder().path.parent, place.parent / "away")
    assert SpillFolder().path.is_relative_to(place)
