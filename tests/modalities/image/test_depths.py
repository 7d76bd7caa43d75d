"""Images of any mode and depth become 8 bits by one rule per data set, which `check` states."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from autoaug.data.audit import audit
from autoaug.data.inputs import in_memory
from autoaug.data.loading import open_source
from autoaug.data.source import Source
from autoaug.errors import DataError
from autoaug.generate.expansion import Expansion
from autoaug.generate.offline import expand
from autoaug.policy.loading import load_policy

LIMIT = 2**28
DRAW = np.random.default_rng(0)
DEEP = DRAW.integers(0, 2**16, (5, 6), dtype=np.uint16)
COLOR = DRAW.integers(0, 256, (5, 6, 3), dtype=np.uint8)


def opened(root: Path, **images: Image.Image | np.ndarray) -> tuple[Source, list[np.ndarray]]:
    """Images, saved in their order, as they are read; TIFF unless the name says otherwise."""
    for number, (name, image) in enumerate(images.items()):
        path = root / f"{number % 2}" / f"{number}.{name.partition('_')[0]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(image, np.ndarray) and image.ndim == 3 and image.dtype == np.uint16:
            cv2.imwrite(str(path), image[..., ::-1])  # Pillow cannot write it
        else:
            (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path)
    source = open_source(root, LIMIT)
    part = source.parts["train"]
    read = in_memory(part.inputs).array
    order = sorted(range(len(read)), key=lambda i: int(Path(part.names[i]).stem))
    return source, [read[i] for i in order]


@pytest.mark.parametrize("kind", ["png", "tif", "pgm"])
@pytest.mark.fault("images", "odd depths")
def test_all_images_of_sixteen_bits_lose_the_same_bits(kind: str, tmp_path: Path) -> None:
    dark = (DEEP % 256).astype(np.uint16)
    source, (first, second) = opened(tmp_path, **{f"{kind}_0": DEEP, f"{kind}_1": dark})
    np.testing.assert_array_equal(first[0], DEEP // 256)
    np.testing.assert_array_equal(second[0], 0)
    assert "divided by 256" in source.rule


def test_values_of_twelve_bits_in_files_of_sixteen_keep_eight(tmp_path: Path) -> None:
    source, (first, second) = opened(tmp_path, png_0=DEEP // 16, png_1=DEEP // 256)
    np.testing.assert_array_equal(first[0], DEEP // 256)
    np.testing.assert_array_equal(second[0], DEEP // 256 // 16)
    assert "the largest is" in source.rule
    assert "divided by 16" in source.rule


def test_values_that_fit_into_eight_bits_stay(tmp_path: Path) -> None:
    _, (first, _) = opened(tmp_path, png_0=DEEP % 256, png_1=np.full((5, 6), 3, np.uint16))
    np.testing.assert_array_equal(first[0], DEEP % 256)


def test_wide_integers_are_scaled_by_the_largest_of_the_set(tmp_path: Path) -> None:
    wide = DEEP.astype(np.int32) * 2**10
    _, (first, second) = opened(tmp_path, tif_0=wide, tif_1=wide // 2**6)
    np.testing.assert_array_equal(first[0], DEEP // 256)
    np.testing.assert_array_equal(second[0], DEEP // 256 // 2**6)


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_gray_of_sixteen_bits_beside_color_keeps_its_shades(kind: str, tmp_path: Path) -> None:
    _, (gray, color) = opened(tmp_path, **{f"{kind}_0": DEEP, "png_1": COLOR})
    np.testing.assert_array_equal(gray, np.stack([DEEP // 256] * 3))
    np.testing.assert_array_equal(color, COLOR.transpose(2, 0, 1))


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_gray_and_color_of_sixteen_bits_lose_the_same_bits(kind: str, tmp_path: Path) -> None:
    deep = DRAW.integers(0, 2**16, (5, 6, 3), dtype=np.uint16)
    dark = DEEP // 16
    source, (color, gray) = opened(tmp_path, **{f"{kind}_0": deep, f"{kind}_1": dark})
    np.testing.assert_array_equal(color, (deep // 256).transpose(2, 0, 1))
    np.testing.assert_array_equal(gray, np.stack([dark // 256] * 3))
    assert "divided by 256" in source.rule


def test_floats_from_zero_to_one_are_rounded_to_256_levels(tmp_path: Path) -> None:
    share = (DRAW.random((5, 6)) * 1.0).astype(np.float32)
    share[0, :2] = 0, 1.0000002
    half = (np.arange(30).reshape(5, 6) / 255 / 2).astype(np.float32)
    source, (first, second) = opened(tmp_path, tif_0=share, tif_1=half)
    np.testing.assert_array_equal(first[0], (share * np.float32(255)).round().clip(0, 255).astype(np.uint8))
    np.testing.assert_array_equal(second[0], (half * np.float32(255)).round().astype(np.uint8))
    assert "multiplied by 255" in source.rule
    assert "conflict" not in {finding.code for finding in audit(source).findings}


def test_floats_from_zero_to_255_are_rounded(tmp_path: Path) -> None:
    values = (DRAW.random((5, 6)) * 255).astype(np.float32)
    source, (first, second) = opened(tmp_path, tif_0=values, tif_1=values / 255)
    np.testing.assert_array_equal(first[0], values.round())
    np.testing.assert_array_equal(second[0], (values / 255).round())
    assert "multiplied by 1 " in source.rule


@pytest.mark.parametrize(
    "values",
    [
        np.full((5, 6), 256.5, np.float32),
        np.full((5, 6), -1, np.float32),
        np.full((5, 6), np.nan, np.float32),
        np.full((5, 6), np.inf, np.float32),
        np.full((5, 6), -1, np.int32),
    ],
)
def test_values_that_cannot_be_scaled_are_named(values: np.ndarray, tmp_path: Path) -> None:
    source, _ = opened(tmp_path, tif_0=values, tif_1=DEEP, tif_2=DEEP)
    assert len(source.unreadable) == 1
    with pytest.raises(DataError, match=r"scale them|repair it"):
        audit(source).stop()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"])
@pytest.mark.fault("images", "odd modes")
def test_ordinary_modes_are_converted_as_pillow_does(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(np.dstack([COLOR, COLOR[..., :1]]), "RGBA").convert("RGB")
    image = (
        picture.quantize(16)
        if mode == "P"
        else picture.convert("P").convert("PA")
        if mode == "PA"
        else picture.convert(mode)
    )
    _, (first, second) = opened(tmp_path, tif_0=image, png_1=COLOR)
    np.testing.assert_array_equal(first, np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    np.testing.assert_array_equal(second, COLOR.transpose(2, 0, 1))


def test_transparent_pixels_have_the_color_under_them_and_that_is_stated(tmp_path: Path) -> None:
    clear = np.dstack([COLOR, np.zeros((5, 6), np.uint8)])
    source, (first, _) = opened(tmp_path, png_0=clear, png_1=COLOR)
    np.testing.assert_array_equal(first, COLOR.transpose(2, 0, 1))
    assert "transparency is dropped" in source.rule


def test_transparent_colors_of_a_palette_are_dropped_without_a_warning(tmp_path: Path) -> None:
    """Pillow's was on the screen, once per thread, amid the lines of progress."""
    image = Image.fromarray(COLOR).quantize(16)
    (tmp_path / "a").mkdir()
    image.save(tmp_path / "a/0.png", transparency=bytes(range(0, 256, 16)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = open_source(tmp_path, LIMIT)
        values = source.parts["train"].inputs.take(np.arange(1))
    np.testing.assert_array_equal(values[0], np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    assert "transparency is dropped" in source.rule


@pytest.mark.parametrize("kind", ["gif", "tif"])
def test_of_several_frames_the_first_is_taken_and_that_is_stated(kind: str, tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    frames = [Image.new("L", (6, 5), shade) for shade in (200, 100)]
    frames[0].save(tmp_path / "0" / f"0.{kind}", save_all=True, append_images=frames[1:])
    source, _ = opened(tmp_path, png_0=np.zeros((5, 6), np.uint8), png_1=COLOR)
    part = source.parts["train"]
    place = [Path(name).suffix for name in part.names].index(f".{kind}")
    np.testing.assert_array_equal(in_memory(part.inputs).array[place], 200)
    assert "only the first frame" in source.rule


def test_one_scale_holds_for_all_splits(tmp_path: Path) -> None:
    for split, image in (("train", DEEP // 16), ("test", DEEP)):
        for label in "ab":
            (tmp_path / split / label).mkdir(parents=True)
            Image.fromarray(image).save(tmp_path / split / label / "1.png")
    parts = open_source(tmp_path, LIMIT).parts
    np.testing.assert_array_equal(in_memory(parts["train"].inputs).array[0, 0], DEEP // 16 // 256)
    np.testing.assert_array_equal(in_memory(parts["test"].inputs).array[0, 0], DEEP // 256)


@pytest.mark.parametrize(
    ("kind", "images"),
    [
        ("L", {"png_0": DEEP, "tif_1": DEEP // 3, "png_2": COLOR[..., 0]}),
        ("L", {"tif_0": (DEEP / 65535).astype(np.float32), "png_1": Image.fromarray(COLOR).convert("1")}),
        ("RGB", {"png_0": DEEP, "png_1": np.dstack([COLOR, COLOR[..., 0]]), "png_2": COLOR, "jpg_3": COLOR[..., 0]}),
        ("RGB", {"png_0": DRAW.integers(0, 2**16, (5, 6, 3), dtype=np.uint16), "gif_1": Image.fromarray(COLOR)}),
    ],
)
def test_an_expansion_holds_one_kind_of_image(
    kind: str, images: dict[str, np.ndarray | Image.Image], tmp_path: Path
) -> None:
    source, read = opened(tmp_path / "given", **images)
    out = tmp_path / "out"
    expand(Expansion(source, "folder", load_policy("trivialaugment"), copies=1), out)
    paths = sorted((out / "train").rglob("*.*"))
    assert len(paths) == 2 * len(images)
    assert {(Image.open(path).mode, cv2.imread(str(path), cv2.IMREAD_UNCHANGED).dtype) for path in paths} == {
        (kind, np.dtype(np.uint8))
    }
    again = in_memory(open_source(out, LIMIT).parts["train"].inputs).array
    for image in read:
        assert (again == image).all((1, 2, 3)).any(), "an original reads as it did"


def test_an_original_that_any_loader_reads_so_is_copied_byte_for_byte(tmp_path: Path) -> None:
    source, _ = opened(tmp_path / "given", jpg_0=COLOR, png_1=COLOR)
    expand(Expansion(source, "folder", load_policy("trivialaugment"), copies=1), tmp_path / "out")
    for suffix in ("jpg", "png"):
        (given,) = (tmp_path / "given").rglob(f"*.{suffix}")
        (copied,) = (path for path in (tmp_path / "out").rglob(f"*.{suffix}") if "copy" not in path.name)
        assert copied.read_bytes() == given.read_bytes()
