"""A modality's loader opens its data set; audit, splits and description work for any shape of samples."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from autoaug.data.audit import audit
from autoaug.data.description import describe_source, describe_splits
from autoaug.data.inputs import ConvertedInputs, MemoryInputs, in_memory
from autoaug.data.layouts import list_files
from autoaug.data.layouts.arrays import Prepare, open_npz
from autoaug.data.layouts.listing import Common, Item, open_listing
from autoaug.data.loading import check_data, open_source
from autoaug.data.source import Source
from autoaug.data.splits import split
from autoaug.errors import DataError
from autoaug.modalities.base import AS_SUITS
from autoaug.modalities.registry import all_modalities
from tests.conftest import bars, write_folder, write_npz

PLENTY = 10**9


class Reader:
    """Series of the first length that all have."""

    dtype = np.dtype(np.float32)

    def __init__(self, channels: int, length: int) -> None:
        self.shape = (channels, length)

    def read(self, path: Path) -> np.ndarray:
        array: np.ndarray = np.load(path)[:, : self.shape[1]]
        return array

    def rewritten(self, _path: Path) -> np.ndarray | None:
        return None


def prepare(array: np.ndarray, where: str) -> object:
    if array.ndim != 3 or array.dtype.kind != "f":
        raise DataError(f"{where} must be floats [N, C, T], not {array.dtype} {list(array.shape)}")
    return np.ascontiguousarray


def agree(read: list[tuple[Item, np.ndarray]]) -> Common:
    lengths = [series.shape[1] for _, series in read]
    forms = {"lengths": {str(n): lengths.count(n) for n in sorted(set(lengths))}}
    return Common(Reader(len(read[0][1]), min(lengths)), forms, f"the first {min(lengths)} values are taken")


def open_series(data: str, memory_limit: int, size: int | None = None) -> Source:
    if data.endswith(".npz"):
        check: Prepare = prepare
        return open_npz(Path(data), memory_limit, check)
    listing = list_files(data, frozenset({".npy"}), "Audio")
    assert listing is not None
    return open_listing(listing, np.load, agree)


@pytest.fixture(autouse=True)
def series(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second modality."""
    loader = SimpleNamespace(recognizes=lambda data: "series" in Path(data).name, open=open_series)
    known = {**all_modalities(), "series": SimpleNamespace(name="series", loader=loader, lacking=dict)}
    monkeypatch.setattr("autoaug.data.loading.all_modalities", lambda: known)


def values(n: int = 60, length: int = 20) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(0).normal(size=(n, 2, length)).astype(np.float32), np.arange(n) % 3


def write_series(path: Path) -> Path:
    x, y = values()
    np.savez(path, x_train=x, y_train=y)
    return path


def test_the_first_modality_takes_what_no_other_recognizes(tmp_path: Path) -> None:
    first = next(iter(all_modalities()))
    assert open_source(write_npz(tmp_path / "a.npz"), PLENTY).modality == first
    checked = check_data(str(write_series(tmp_path / "series.npz")), PLENTY, AS_SUITS, (), 0)[1]
    assert checked.modality == "series"
    with pytest.raises(DataError, match="no such file"):
        open_source(tmp_path / "b.npz", PLENTY)


def test_floats_of_any_shape_are_audited_split_and_described_in_memory_and_on_disk(tmp_path: Path) -> None:
    x, _ = values()
    path = write_series(tmp_path / "series.npz")
    limits = {
        PLENTY: MemoryInputs,
        10: ConvertedInputs,
        2 * x.size: ConvertedInputs,
    }  # the last has room for half the bytes
    prints, splits = set(), []
    for limit, kind in limits.items():
        source = open_source(path, limit)
        audited = audit(source)
        data = split(source, audited, 0, limit)
        assert type(data.train.inputs) is kind
        assert data.train.inputs.shape == (2, 20)
        prints.add((audited.fingerprint, data.train_fingerprint))
        splits.append([in_memory(part.inputs).array for part in (data.train, data.validation, data.test)])
    assert len(prints) == 1
    for parts in zip(*splits, strict=True):
        for part in parts:
            assert part.dtype == np.float32
            np.testing.assert_array_equal(part, parts[0])
    assert sorted(map(bytes, np.concatenate(splits[0]))) == sorted(map(bytes, x))
    assert "shapes: 2 x 20 (60)" in describe_source(source, audited)
    assert f"{len(data.train)} train" in describe_splits(data)[0]


def test_messages_about_arrays_speak_of_samples(tmp_path: Path) -> None:
    x, y = values()
    np.savez(tmp_path / "series.npz", train_samples=x, train_labels=y[1:])
    with pytest.raises(DataError, match="60 train samples but 59 labels; one label per sample"):
        open_source(tmp_path / "series.npz", PLENTY)
    np.savez(tmp_path / "series.npz", train_samples=x, train_labels=y)
    assert open_source(tmp_path / "series.npz", PLENTY).parts["train"].names[7] == "train sample 7"
    np.savez(tmp_path / "series.npz", x_train=x[0], y_train=y)
    with pytest.raises(DataError, match=r"x_train must be floats \[N, C, T\]"):
        open_source(tmp_path / "series.npz", PLENTY)


def test_files_of_another_modality_go_through_the_layouts(tmp_path: Path) -> None:
    x, y = values()
    for split_name, rows in (("train", range(48)), ("test", range(48, 60))):
        for row in rows:
            path = tmp_path / "series" / split_name / f"class {y[row]}" / f"{row:02}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, x[row, :, : 20 - row % 2])
    (tmp_path / "series/train/class 0/00.npy").write_bytes(b"no series")
    (tmp_path / "series/train/class 0/notes.txt").touch()
    source = open_source(tmp_path / "series", PLENTY)
    assert {role: len(part) for role, part in source.parts.items()} == {"train": 47, "test": 12}
    assert source.classes == ("class 0", "class 1", "class 2")
    assert [Path(line.split(": ")[0]).name for line in source.unreadable] == ["00.npy"]
    expected = np.stack([x[row, :, :19] for row in sorted(range(48, 60), key=lambda row: (y[row], row))])
    np.testing.assert_array_equal(in_memory(source.parts["test"].inputs).array, expected)
    lines = describe_source(source, audit(source))
    assert "lengths: 19 (30), 20 (29)" in lines
    assert "one form for all samples: the first 19 values are taken" in lines
    assert any("1 x .txt" in line for line in lines)
    assert not any("unreadable sample" in line for line in lines)  # what stops a run is told by its error
    told = describe_source(source, audit(source), frozenset({"unreadable"}))
    assert any(line.startswith("allowed: unreadable sample") for line in told)


def test_files_of_which_none_can_be_read_are_named(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "series" / label).mkdir(parents=True)
        (tmp_path / "series" / label / "0.npy").write_bytes(b"no series")
    with pytest.raises(DataError, match=r"none of 2 files can be read as a training sample; the first: .*0\.npy: "):
        open_source(tmp_path / "series", PLENTY)


@pytest.mark.parametrize(("side", "lacks"), [("source", "translations (target)"), ("target", "sources (source)")])
def test_a_table_with_one_side_of_pairs_is_refused_as_such(side: str, lacks: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text(f"{side},split\na,train\nb,train\n")
    with pytest.raises(DataError, match=re.escape(f"there is no column of {lacks}; it has {side}, split")):
        open_source(tmp_path / "pairs.csv", PLENTY)


def test_files_of_another_modality_beside_the_samples_are_asked_about(tmp_path: Path) -> None:
    write_folder(tmp_path, *bars(12, classes=2, size=6, channels=3))
    for number in range(6):
        (tmp_path / "class 0" / f"{number}.wav").touch()
        (tmp_path / "class 0" / f"{number}.txt").touch()
    said = "12 files were taken as samples for image data, and 6 x .wav were not; if these are meant, say so with "
    assert open_source(tmp_path, 2**28).assumed == (f"{said}--modality audio",)
    assert open_source(tmp_path, 2**28, modality="image").assumed == (), "it was asked for"
    for path in tmp_path.glob("*/*.png"):
        path.rename(path.with_suffix(".doc"))
    with pytest.raises(DataError, match=r"there are 12 x \.doc, 6 x .*; of which kind samples are, --modality tells"):
        open_source(tmp_path, 2**28)
