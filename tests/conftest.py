"""Small data sets that several rooms' tests share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

torch.set_num_threads(1)


def bars(n: int, classes: int = 3, size: int = 12, channels: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[n, size, size, channels]`` whose class is the place of a bright bar, under noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    images = draw.integers(0, 90, (n, size, size, channels))
    for image, label in zip(images, labels, strict=True):
        start = label * size // classes
        image[start : start + size // classes] += 110
    return images.astype(np.uint8), labels.astype(np.int64)


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    """An .npz with 120 training and 60 test images of three classes."""
    return write_npz(tmp_path / "bars.npz")


def write_npz(path: Path, **changes: np.ndarray) -> Path:
    """The same with arrays replaced or added."""
    x_train, y_train = bars(120)
    x_test, y_test = bars(60, seed=1)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez_compressed(path, **{**arrays, **changes})
    return path
