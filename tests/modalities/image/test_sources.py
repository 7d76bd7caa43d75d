"""Arrays of every layout, files of every size and known data sets give images as uint8 ``[C, H, W]``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from autoaug.data.audit import audit
from autoaug.data.description import describe_source
from autoaug.data.inputs import MemoryInputs, in_memory
from autoaug.data.loading import open_source
from autoaug.data.source import Source
from autoaug.data.splits import split
from autoaug.errors import AutoaugError, DataError
from autoaug.modalities.base import Reading
from autoaug.modalities.image import loader
from autoaug.modalities.image.decoding import image_endings, read_header
from tests.conftest import bars, write_folder, write_idx

PLENTY = 10**9
Changed = Callable[[np.ndarray], np.ndarray]


def pixels(source: Source, role: str = "train") -> np.ndarray:
    return in_memory(source.parts[role].inputs).array


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
    mode = "RGB" if "color" in layout else "gray"
    assert f"sizes: 12x12 (30); modes: {mode} (30)" in describe_source(source, audit(source))


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


@pytest.mark.fault("images", "mixed and large sizes")
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
    assert open_source(tmp_path, PLENTY, Reading((8,))).parts["train"].inputs.shape == (3, 8, 8)


def test_few_sizes_are_counted_and_many_are_told_as_ranges(tmp_path: Path) -> None:
    for name, count in (("few", 2), ("many", 30)):
        for i in range(count):
            path = tmp_path / name / "a" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (50 - i, 10 + i)).save(path)  # a width and a height
    assert open_source(tmp_path / "few", PLENTY).forms["sizes"] == {"10x50": 1, "11x49": 1}
    assert open_source(tmp_path / "many", PLENTY).forms["sizes"] == {"heights from 10 to 39, widths from 21 to 50": 30}


@pytest.mark.fault("images", "turned by EXIF")
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
    np.testing.assert_array_equal(pixels(source)[:, 0], (load_digits().images * 255 / 16).round())


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


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (lambda images: np.where(np.arange(len(images))[:, None, None, None] == 3, np.nan, images / 255), "in image 3"),
        (lambda images: images / 1.0, "scale them to [0, 1] or store uint8"),
        (lambda images: images.astype(np.int32), "must be uint8, or floats in [0, 1], not int32"),
        (lambda images: images[:, :, 0, 0], "these are no images, name what they are with --modality"),
        (lambda images: images[:, :0], "images without pixels"),
    ],
)
def test_an_array_that_is_none_of_images_is_named(changed: Changed, words: str, tmp_path: Path) -> None:
    images, labels = bars(12)
    np.savez(tmp_path / "a.npz", x_train=changed(images), y_train=labels)
    with pytest.raises(DataError) as error:
        open_source(tmp_path / "a.npz", PLENTY)
    assert words in str(error.value)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_the_loader_writes_it_opens_again(channels: int, tmp_path: Path) -> None:
    images, labels = bars(12, channels=channels)
    stored = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    (tmp_path / "a").mkdir()
    for number, sample in enumerate(stored):
        loader.write(sample, tmp_path / "a" / f"{number:02}{loader.suffix}")
    np.testing.assert_array_equal(pixels(open_source(tmp_path, PLENTY)), stored)
    np.savez(tmp_path / "a.npz", x_train=loader.as_array(stored), y_train=labels)
    np.testing.assert_array_equal(pixels(open_source(tmp_path / "a.npz", PLENTY)), stored)


def test_an_image_is_copied_only_where_any_program_reads_it_as_its_copies_are(tmp_path: Path) -> None:
    """A loader of another library would find 16 bits, or colors where the others are gray."""
    (tmp_path / "a").mkdir()
    Image.new("L", (6, 5), 9).save(tmp_path / "a" / "0.png")
    Image.fromarray(np.full((5, 6), 2**12, np.uint16)).save(tmp_path / "a" / "1.png")
    inputs = open_source(tmp_path, PLENTY).parts["train"].inputs
    assert inputs.reader.rewritten(tmp_path / "a" / "0.png") is None
    deep = inputs.reader.rewritten(tmp_path / "a" / "1.png")
    np.testing.assert_array_equal(deep, np.full((1, 5, 6), 2**12 >> 5))


@pytest.mark.parametrize("ending", ["jfif", "jpe", "JPG", "avif", "jp2", "tga", "pnm", "apng", "dib"])
def test_every_ending_of_what_pillow_decodes_is_an_image(ending: str, tmp_path: Path) -> None:
    if f".{ending.lower()}" not in image_endings():
        pytest.skip(f"this Pillow cannot read .{ending}")
    write_folder(tmp_path, *bars(12))
    for path in (tmp_path / "class 0").iterdir():
        Image.open(path).save(path.with_suffix(f".{ending}"))
        path.unlink()
    source = open_source(tmp_path, PLENTY)
    assert source.classes == ("class 0", "class 1", "class 2")
    assert len(source.parts["train"]) == 12
    assert np.bincount(source.parts["train"].labels).tolist() == [4, 4, 4]


@pytest.mark.fault("images", "a program behind an ending")
def test_no_program_is_run_for_an_image() -> None:
    assert not {".eps", ".ps", ".wmf"} & image_endings()


def test_idx_files_are_known_by_the_words_of_their_names(tmp_path: Path) -> None:
    for prefix in ("emnist-letters-train", "valid", "t10k"):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte", bars(12)[0][..., 0])
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", bars(12)[1])
    assert set(open_source(tmp_path, PLENTY).parts) == {"train", "validation", "test"}
    (tmp_path / "more-images-idx3-ubyte").touch()
    with pytest.raises(DataError, match="does not tell its split"):
        open_source(tmp_path, PLENTY)
    (tmp_path / "more-images-idx3-ubyte").rename(tmp_path / "other-train-images-idx3-ubyte")
    with pytest.raises(DataError, match="are both images of the train split"):
        open_source(tmp_path, PLENTY)


def saved(folder: Path, width: int, height: int, **options: object) -> np.ndarray:
    """A smooth picture of that size as a file of each of two classes; return its pixels as read at full size."""
    columns, rows = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    picture = Image.fromarray(np.stack([columns, rows, 255 - columns], 2).astype(np.uint8))
    for name in "ab":
        (folder / name).mkdir(parents=True)
        picture.save(folder / name / "photo.jpg", quality=95, **options)
    return np.asarray(Image.open(folder / "a" / "photo.jpg").convert("RGB")).astype(float)


def read_with(folder: Path, resize: Reading) -> np.ndarray:
    return open_source(folder, PLENTY, resize).parts["train"].inputs.take(np.arange(1))[0].astype(float)


def test_photographs_are_cropped_fitted_or_squashed(tmp_path: Path) -> None:
    saved(tmp_path, 120, 60)
    cropped = read_with(tmp_path, Reading((30,)))
    assert cropped.shape == (3, 30, 30)
    assert 50 < cropped[0].min() < cropped[0].max() < 205, "the left and the right quarter are cut off"
    squashed = read_with(tmp_path, Reading((30,), "squash"))
    assert squashed[0].min() < 10
    assert squashed[0].max() > 245
    fitted = read_with(tmp_path, Reading((30,), "letterbox"))
    assert (fitted[:, :7] == 0).all(), "black above"
    assert (fitted[:, -7:] == 0).all(), "black below"
    assert fitted[0, 8:22].max() > 240
    assert read_with(tmp_path, Reading((16, 32))).shape == (3, 16, 32), "height x width"


@pytest.mark.parametrize("how", ["crop", "letterbox", "squash"])
@pytest.mark.parametrize("limit", [PLENTY, 10])
def test_arrays_are_resized_as_files_are(how: Any, limit: int, tmp_path: Path) -> None:
    """In memory and from disk. Each channel is resized on its own, so that any number of them is possible."""
    images = np.random.default_rng(0).integers(0, 256, (12, 20, 30, 3), dtype=np.uint8)
    labels = np.arange(12) % 2
    write_folder(tmp_path / "files", images, labels)
    reading = Reading((16, 8), how)
    files = open_source(tmp_path / "files", PLENTY, reading)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels)
    arrays = open_source(tmp_path / "a.npz", limit, reading)
    assert arrays.rule == files.rule != ""
    order = [int(Path(name).stem) for name in files.parts["train"].names]
    np.testing.assert_array_equal(pixels(files), pixels(arrays)[order])
    np.savez(tmp_path / "two.npz", x_train=images[..., 1:], y_train=labels)
    np.testing.assert_array_equal(pixels(open_source(tmp_path / "two.npz", limit, reading)), pixels(arrays)[:, 1:])


@pytest.mark.parametrize("limit", [PLENTY, 1797 * 64])
def test_named_arrays_are_resized_and_stay_small_until_they_are_read_if_memory_is_small(limit: int) -> None:
    source = open_source("digits", limit, Reading((16,)))
    data = split(source, audit(source), 0, limit)
    assert isinstance(data.train.inputs, MemoryInputs) == (limit == PLENTY)
    first = Image.fromarray(pixels(open_source("digits", PLENTY))[0, 0])
    enlarged = np.asarray(first.resize((16, 16), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(source.parts["train"].inputs.take(np.arange(1))[0, 0], enlarged)
    assert open_source("digits", PLENTY, Reading((8,))).rule == "", "they have that size"


@pytest.mark.parametrize(("width", "height", "turned"), [(1600, 1200, 1), (1200, 1600, 6)])
def test_large_photographs_are_read_at_a_smaller_size_and_look_the_same(
    width: int, height: int, turned: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned  # 6: to be turned by 90 degrees
    saved(tmp_path, width, height, exif=exif.tobytes())
    sizes = []
    upright = ImageOps.exif_transpose
    monkeypatch.setattr(ImageOps, "exif_transpose", lambda image: sizes.append(image.size) or upright(image))
    small = read_with(tmp_path, Reading((48, 64)))
    assert max(sizes[-1]) == 200, "an eighth"
    monkeypatch.setattr(Image.Image, "draft", lambda *_: None)
    np.testing.assert_allclose(small, read_with(tmp_path, Reading((48, 64))), atol=4)


@pytest.mark.parametrize("lengths", [(8, 8, 8), (8, 8, 8, 8)])
def test_images_have_two_lengths(lengths: tuple[int, ...], tmp_path: Path) -> None:
    saved(tmp_path, 20, 20)
    with pytest.raises(DataError, match="images have a height and a width"):
        open_source(tmp_path, PLENTY, Reading(lengths))


def test_a_large_photograph_is_checked_at_an_eighth_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size is that of the whole picture, upright, and a damaged one is known all the same."""
    drawn = np.random.default_rng(0).integers(0, 256, (803, 1001, 3), np.uint8)
    sizes, wanted, upright = [], [], ImageOps.exif_transpose
    for turned in range(1, 9):
        tag = Image.Exif()
        tag[0x0112] = turned
        Image.fromarray(drawn).save(tmp_path / f"{turned}.jpg", exif=tag)
        with Image.open(tmp_path / f"{turned}.jpg") as whole:
            wanted.append(upright(whole).size)
    monkeypatch.setattr(ImageOps, "exif_transpose", lambda image: sizes.append(image.size) or upright(image))
    headers = [read_header(tmp_path / f"{turned}.jpg") for turned in range(1, 9)]
    assert [(header.width, header.height) for header in headers] == wanted
    assert {max(size) for size in sizes} == {126}
    path = tmp_path / "1.jpg"
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(OSError, match="truncated"):
        read_header(path)
