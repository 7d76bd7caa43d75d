"""Every format that people have gives the same images and labels, and what is broken is named in one line."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoaug.data.inputs import in_memory
from autoaug.data.loading import open_source
from autoaug.data.source import Source
from autoaug.errors import AutoaugError, DataError
from tests.conftest import bars, write_npz

PLENTY = 10**9


def pixels(source: Source, role: str = "train") -> np.ndarray:
    return in_memory(source.parts[role].inputs).array


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_folder(root: Path, images: np.ndarray, labels: np.ndarray) -> None:
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / f"class {label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(folder / f"{index:04d}.png")


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW", "float", "color NHWC", "color NCHW"])
@pytest.mark.parametrize("limit", [PLENTY, 10])
def test_npz_in_every_layout_in_memory_and_on_disk(layout: str, limit: int, tmp_path: Path) -> None:
    images, labels = bars(30, channels=3 if "color" in layout else 1)
    expected = images.transpose(0, 3, 1, 2)
    stored = {
        "NHW": images[..., 0],
        "NCHW": expected,
        "float": images / 255.0,
        "color NCHW": expected,
    }.get(layout, images)
    np.savez(tmp_path / "a.npz", x_train=stored, y_train=labels, class_names=np.array(["a", "b", "c"]))
    source = open_source(tmp_path / "a.npz", limit)
    np.testing.assert_array_equal(pixels(source), expected)
    np.testing.assert_array_equal(source.parts["train"].labels, labels)
    assert source.classes == ("a", "b", "c")


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("limit", [PLENTY, 10])
def test_idx_folder(ending: str, limit: int, tmp_path: Path) -> None:
    images, labels = bars(30)
    for prefix in ("train", "t10k"):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte{ending}", images[..., 0])
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte{ending}", labels)
    source = open_source(tmp_path, limit)
    assert set(source.parts) == {"train", "test"}
    for role in source.parts:
        np.testing.assert_array_equal(pixels(source, role), images.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(source.parts[role].labels, labels)


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


def test_mixed_sizes_and_modes_become_one_by_the_stated_rule(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for index, (width, height, mode) in enumerate([(20, 10, "L"), (12, 30, "RGB"), (16, 16, "RGBA"), (14, 14, "P")]):
        folder = tmp_path / "ab"[index % 2]
        folder.mkdir(exist_ok=True)
        image = Image.fromarray(draw.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)
        image.save(folder / f"{index}.png")
    source = open_source(tmp_path, PLENTY)
    assert source.parts["train"].inputs.shape == (3, 13, 13), "the median of the shorter sides 10, 12, 14, 16"
    assert "13 x 13" in source.rule
    assert open_source(tmp_path, PLENTY, size=8).parts["train"].inputs.shape == (3, 8, 8)


def test_an_image_turned_by_its_exif_tag_comes_upright(tmp_path: Path) -> None:
    upright = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    (tmp_path / "a").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must be turned by 90 degrees clockwise
    Image.fromarray(np.rot90(upright)).save(tmp_path / "a" / "1.png", exif=exif)
    np.testing.assert_array_equal(pixels(open_source(tmp_path, PLENTY))[0], upright.transpose(2, 0, 1))


def test_sixteen_bit_gray_is_scaled(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    deep = np.array([[0, 256, 65535]], dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "a" / "1.png")
    np.testing.assert_array_equal(pixels(open_source(tmp_path, PLENTY))[0, 0], [[0, 1, 255]])


def test_digits() -> None:
    from sklearn.datasets import load_digits

    source = open_source("digits", PLENTY)
    np.testing.assert_array_equal(pixels(source)[:, 0], (load_digits().inputs * 255 / 16).round())


def test_torchvision_sets_that_are_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path))
    images, labels = bars(30)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        write_idx(raw / f"{prefix}-images-idx3-ubyte", images[..., 0])
        write_idx(raw / f"{prefix}-labels-idx1-ubyte", labels)
    source = open_source("torchvision:MNIST", PLENTY)
    for role in ("train", "test"):
        np.testing.assert_array_equal(pixels(source, role), images.transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(source.parts[role].labels, labels)


def test_an_unknown_torchvision_set_offers_the_nearest() -> None:
    with pytest.raises(AutoaugError, match="did you mean 'CIFAR10'"):
        open_source("torchvision:CIFAR11", PLENTY)


def broken_npz(tmp_path: Path, name: str) -> Path:
    images, labels = bars(12)
    nan = images / 255.0
    nan[3, 0, 0] = np.nan
    arrays: dict[str, dict[str, np.ndarray]] = {
        "labels": {"y_train": labels - 1},
        "names": {"y_train": labels + 5, "class_names": np.array(["a", "b", "c"])},
        "nan": {"x_train": nan},
        "range": {"x_train": images / 1.0},
        "count": {"y_train": labels[:-1]},
        "dtype": {"x_train": images.astype(np.int32)},
        "rank": {"x_train": images[:, :, 0, 0]},
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
        ("nan", ["NaN", "image 3"]),
        ("range", ["[0, 1]", "uint8"]),
        ("count", ["12", "11", "labels"]),
        ("dtype", ["int32", "uint8"]),
        ("rank", ["[N, H, W]"]),
        ("float labels", ["integers or text", "float64"]),
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
        ("no classes", ["CLASS/IMAGE"]),
        ("unreadable", ["1.png", "none of 1"]),
        ("text as npz", ["not an .npz"]),
        ("pickled npz", ["not an .npz"]),
        ("short idx", ["IDX", "train-images"]),
        ("csv columns", ["line 1", "path,label"]),
        ("csv empty", ["no images"]),
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
