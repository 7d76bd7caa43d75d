"""Data sets of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from autoaug.data.source import Source
from autoaug.data.sources import open_source
from autoaug.modalities.image.decoding import as_picture

ending = ".png"


def recognizes(data: str) -> bool:
    """Whether `data` looks like a data set of images."""
    return True


def open(data: str, memory_limit: int, size: int | None = None) -> Source:  # noqa: A001 (the seam's name)
    """See `open_source`."""
    return open_source(data, memory_limit, size)


def write(sample: np.ndarray, path: Path) -> None:
    """Write uint8 ``[C, H, W]`` as a PNG file."""
    as_picture(sample).save(path, "PNG")
