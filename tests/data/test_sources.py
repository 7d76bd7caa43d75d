"""All layouts give the same samples and labels; a fault is named in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoaug.data.inputs import in_memory
from autoaug.data.loading import open_source
from autoaug.data.source import Source
from autoaug.errors import AutoaugError, DataError
from tests.conftest import bars, write_folder, write_idx, write_npz

PLENTY = 10**9


def pixels(source: Source, role: str = "train") -> np.ndarray:
    return in_memory(source.parts[role].inputs).array


@pytest.mark.parametrize("channels", [1, 3])
def test_image_folder_without_and_with_splits(channels: int, tmp_path: Path) -> None:
    images, labels = bars(12, channels=channels)
    write_folder(tmp_path / "flat", images, labels)
    for split in ("train", "val", "test"):
        write_folder(tmp_path / "split" / split, images, labels)
    order = np.argsort(labels, kind="stable")
    flat, split_up = open_source(tmp_path / "flat", PLENTY), open_source(tmp_path / "split", PLENTY)
    assert set(flat.parts) == {"train"}
    assert set(split_up.parts) == {"train", "validation", "test"}
    for source, role in ((flat, "train"), *((split_up, role) for role in split_up.parts)):
        np.testing.assert_array_equal(pixels(source, role), images[order].transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(source.parts[role].labels, labels[order])
    assert flat.classes == ("class 0", "class 1", "class 2")


def test_csv_manifest_with_splits_and_groups(tmp_path: Path) -> None:
    images, labels = bars(9)
    lines = ["path,label,split,group"]
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{index}.png")
        lines.append(f"{index}.png,l{label},{'test' if index >= 6 else ''},g{index // 2}")
    (tmp_path / "m.csv").write_text("\n".join(lines))
    source = open_source(tmp_path / "m.csv", PLENTY)
    np.testing.assert_array_equal(pixels(source), images[:6].transpose(0, 3, 1, 2))
    assert len(source.parts["test"]) == 3
    groups = source.parts["train"].groups
    assert groups is not None
    assert groups.tolist() == ["g0", "g0", "g1", "g1", "g2", "g2"]


def broken_npz(tmp_path: Path, name: str) -> Path:
    images, labels = bars(12)
    arrays: dict[str, dict[str, np.ndarray]] = {
        "labels": {"y_train": labels - 1},
        "names": {"y_train": labels + 5, "class_names": np.array(["a", "b", "c"])},
        "count": {"y_train": labels[:-1]},
        "float labels": {"y_train": labels + 0.5},
        "strange class": {"x_test": images, "y_test": labels + 7},
        "shapes": {"x_test": images[:, :5], "y_test": labels},
        "no labels": {"x_val": images},
        "groups": {"g_train": labels[:-1]},
    }
    path = tmp_path / "broken.npz"
    np.savez(path, **{"x_train": images, "y_train": labels, **arrays[name]})
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("labels", ["label -1", "out of range"]),
        ("names", ["label", "out of range", "0 to 2"]),
        ("count", ["12", "11", "labels"]),
        ("float labels", ["not classes", "float64"]),
        ("strange class", ["class '7'", "training"]),
        ("shapes", ["shapes"]),
        ("no labels", ["x_val", "no y_val"]),
        ("groups", ["12 train images", "groups of shape [11]"]),
    ],
)
def test_a_broken_npz_is_named_in_one_line(name: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        open_source(broken_npz(tmp_path, name), PLENTY)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def make(tmp_path: Path, kind: str) -> str:
    """Something that cannot be opened."""
    path = tmp_path / "x"
    if kind == "empty folder":
        path.mkdir()
    elif kind == "no classes":
        path.mkdir()
        Image.new("L", (4, 4)).save(path / "a.png")
    elif kind == "unreadable":
        (path / "a").mkdir(parents=True)
        (path / "a" / "1.png").write_bytes(b"not a picture")
    elif kind == "text as npz":
        path = tmp_path / "x.npz"
        path.write_text("no")
    elif kind == "pickled npz":
        path = tmp_path / "x.npz"
        np.savez(path, x_train=np.array([{}, {}], dtype=object), y_train=np.arange(2))
    elif kind == "short idx":
        path.mkdir()
        write_idx(path / "train-images-idx3-ubyte", np.zeros((2, 3, 3)))
        write_idx(path / "train-labels-idx1-ubyte", np.zeros(2))
        (path / "train-images-idx3-ubyte").write_bytes((path / "train-images-idx3-ubyte").read_bytes()[:-4])
    elif kind == "csv columns":
        path = tmp_path / "x.csv"
        path.write_text("file,class\na.png,b\n")
    elif kind == "csv empty":
        path = tmp_path / "x.csv"
        path.write_text("path,label\n")
    elif kind == "csv split":
        path = tmp_path / "x.csv"
        path.write_text("path,label,split\na.png,b,trian\n")
    elif kind == "name":
        return "digitz"
    return str(path)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", ["no such"]),
        ("empty folder", ["empty"]),
        ("no classes", ["CLASS/SAMPLE"]),
        ("unreadable", ["1.png", "none of 1"]),
        ("text as npz", ["not an .npz"]),
        ("pickled npz", ["not an .npz"]),
        ("short idx", ["IDX", "train-images"]),
        ("csv columns", ["line 1", "path,label"]),
        ("csv empty", ["no samples"]),
        ("csv split", ["line 2", "trian", "train"]),
        ("name", ["digitz", "digits"]),
    ],
)
def test_what_cannot_be_opened_is_named_in_one_line(kind: str, words: list[str], tmp_path: Path) -> None:
    with pytest.raises(AutoaugError) as error:
        open_source(make(tmp_path, kind), PLENTY)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_what_is_on_disk_crosses_process_borders_without_its_pixels(tmp_path: Path) -> None:
    import pickle

    images = open_source(write_npz(tmp_path / "a.npz"), 10).parts["train"].inputs
    images.take(np.arange(3))
    sent = pickle.dumps(images)
    assert len(sent) < 3000
    np.testing.assert_array_equal(pickle.loads(sent).take(np.arange(5)), images.take(np.arange(5)))
