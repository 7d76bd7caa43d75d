"""Series in files ``*.series.npz``: the arrays of an .npz of samples, as floats ``[N, C, T]``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autoaug.data.layouts.arrays import open_npz
from autoaug.data.source import Source
from autoaug.errors import DataError

suffix = ".npy"
extra_arrays: dict[str, np.ndarray] = {}


def recognizes(data: str) -> bool:
    return data.endswith(".series.npz")


def _prepare(array: np.ndarray, where: str) -> Any:
    if array.ndim != 3 or array.dtype.kind != "f":
        raise DataError(f"{where} must be floats [N, C, T], not {array.dtype} {list(array.shape)}")
    return np.ascontiguousarray


def open(data: str, memory_limit: int, reading: object = None) -> Source:  # noqa: A001 (the seam's name)
    return open_npz(Path(data), memory_limit, _prepare, "series")


def write(sample: np.ndarray, path: Path) -> None:
    np.save(path, sample)


def as_array(samples: np.ndarray) -> np.ndarray:
    return samples
