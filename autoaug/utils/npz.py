"""The arrays in an ``.npz`` file, which may be from anyone: sizes are checked before anything is unpacked."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
import psutil

#: A compression ratio that deflate, the codec of .npz and .gz, cannot exceed (its limit is 1,032).
MOST_PACKED = 1100


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """The shape and type of the array in an ``.npy`` file, which is read up to its values."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def checked_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The archive member of an array, after its header is checked against its size; no array is allocated. Raises
    `KeyError` if there is none, and `ValueError` if it breaks a rule.
    """
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        shape, dtype = array_header(file)
        if dtype.hasobject:
            raise ValueError(f"array {name!r} holds Python objects")
        claimed, there = math.prod(shape) * dtype.itemsize, info.file_size - file.tell()
    packed = min(info.compress_size, Path(str(archive.filename)).stat().st_size)
    if claimed != there or info.file_size > MOST_PACKED * (packed + 1):
        raise ValueError(f"array {name!r} should have {claimed} bytes, but the archive holds {packed} for it")
    return info


def read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array of an archive. Raises `ValueError` as `checked_member` does, and if it needs more than half of the free
    memory: zeros are packed a thousandfold.
    """
    info, free = checked_member(archive, name), psutil.virtual_memory().available
    if info.file_size > free // 2:
        raise ValueError(f"array {name!r} has {info.file_size} bytes, more than half of the free memory")
    with archive.open(info) as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return array


def array_names(archive: zipfile.ZipFile) -> list[str]:
    """The names of the arrays in an archive."""
    return [name.removesuffix(".npy") for name in archive.namelist()]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz`` file. Raises `ValueError` as `read_array` does; `zipfile`, `zlib` and NumPy raise many
    other types for damaged files.
    """
    with zipfile.ZipFile(path) as archive:
        return {name: read_array(archive, name) for name in array_names(archive)}
