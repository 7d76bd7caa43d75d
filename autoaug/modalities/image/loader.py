"""Open data sets of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from autoaug.data.layouts import list_files, no_such_data
from autoaug.data.layouts.arrays import open_npz
from autoaug.data.source import Source
from autoaug.errors import DataError
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.modalities.image.decoding import image_endings
from autoaug.modalities.image.sources.arrays import prepare, resized, with_forms
from autoaug.modalities.image.sources.files import open_images
from autoaug.modalities.image.sources.idx import is_idx_folder, open_idx
from autoaug.modalities.image.sources.named import DATA_SETS, open_torchvision

suffix = ".png"
#: Files are read with so many channels: with 2 or 4, the last one would be their transparency, which is dropped.
_CHANNELS_OF_FILES = (1, 3)
extra_arrays: Mapping[str, np.ndarray] = {}


def recognizes(data: str) -> bool:
    """Whether `data` looks like a data set of images."""
    return True


def open(data: str, memory_limit: int, reading: Reading = AS_SUITS) -> Source:  # noqa: A001 (the seam's name)
    """Open a folder of images per class, a folder of IDX files, an ``.npz``, a CSV manifest, Parquet or WebDataset
    shards (a file or a folder), ``digits``, ``torchvision:NAME`` or ``hf:NAME``.

    Args:
        data: a path or a name.
        memory_limit: bytes; larger arrays are mapped from disk instead of loaded.
        reading: how images in files are brought to one size, the side in pixels, or the height and the width
            (`autoaug.modalities.image.decoding.common_shape`). Arrays keep their size unless one is given.

    Raises:
        DataError: the data do not exist, or break a rule of their format.
    """
    if len(reading.lengths) > 2:
        size = "x".join(map(str, reading.lengths))
        raise DataError(f"--size {size}: images have a height and a width; give one side, or both")
    open_arrays = _arrays(data, memory_limit)
    if open_arrays is not None:
        return resized(open_arrays(), reading)
    listing = list_files(data, image_endings(), "Image")
    if listing is None:
        raise no_such_data(data, DATA_SETS)
    return open_images(listing, reading)


def _arrays(data: str, memory_limit: int) -> Callable[[], Source] | None:
    """A function that opens data that are arrays in memory or in one file; None for other data."""
    path = Path(data)
    if data.startswith("torchvision:"):
        return partial(open_torchvision, data.removeprefix("torchvision:"))
    if path.is_dir():
        return partial(open_idx, path, memory_limit) if is_idx_folder(path) else None
    if path.suffix.lower() == ".npz" and path.is_file():
        return lambda: with_forms(open_npz(path, memory_limit, prepare, "image"))
    return DATA_SETS.get(data)


def write(sample: np.ndarray, path: Path) -> None:
    """Write uint8 ``[C, H, W]`` as a PNG file; raises `DataError` for other channels than such files are read with."""
    if len(sample) not in _CHANNELS_OF_FILES:
        raise DataError(
            f"images with {len(sample)} channels cannot be written as PNG files, which are read with 1 or 3; a search "
            "takes samples from the generator itself, with --generator"
        )
    Image.fromarray(sample[0] if len(sample) == 1 else sample.transpose(1, 2, 0)).save(path, "PNG")


def as_array(samples: np.ndarray) -> np.ndarray:
    """Convert uint8 ``[n, C, H, W]`` to the format of ``.npz`` files: ``[n, H, W, C]``."""
    return np.ascontiguousarray(samples.transpose(0, 2, 3, 1))
