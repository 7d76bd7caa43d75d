"""A folder of IDX files, the format of MNIST: ``train-images-idx3-ubyte[.gz]`` and its three siblings."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np

from autoaug.data.images import Images, MappedImages, MemoryImages, channels_first
from autoaug.data.source import Role, Source, index_labels
from autoaug.data.sources.arrays import array_source, channel_axis
from autoaug.data.spill import spill_folder
from autoaug.errors import DataError

PREFIXES: dict[str, Role] = {"train": "train", "val": "validation", "t10k": "test", "test": "test"}
_UBYTE = 0x08


def is_idx_folder(folder: Path) -> bool:
    """Whether the folder holds files with names of the MNIST format."""
    return any(_files(folder))


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.name.removesuffix(".gz").endswith("ubyte") and p.is_file())


def open_idx(folder: Path, memory_limit: int) -> Source:
    """Pair image and label files by their prefix (``train``, ``val``, ``t10k`` or ``test``)."""
    found: dict[tuple[Role, str], Path] = {}
    for path in _files(folder):
        matching = [role for prefix, role in PREFIXES.items() if path.name.startswith(prefix)]
        kind = "images" if "images" in path.name else "labels" if "labels" in path.name else None
        if matching and kind:
            found[matching[0], kind] = path
    roles = [role for role in dict.fromkeys(PREFIXES.values()) if (role, "images") in found]
    if "train" not in roles:
        raise DataError(f"{folder}: there is no train-images-idx3-ubyte[.gz] among the IDX files")
    for role in roles:
        if (role, "labels") not in found:
            raise DataError(f"{folder}: {found[role, 'images'].name} has no file of labels beside it")
    labels, classes = index_labels([_read(found[role, "labels"], memory_limit)[0] for role in roles], None, str(folder))
    images = [_images(found[role, "images"], memory_limit) for role in roles]
    return array_source(str(folder), classes, dict(zip(roles, zip(images, labels, strict=True), strict=True)))


def _images(path: Path, memory_limit: int) -> Images:
    array, mapped = _read(path, memory_limit)
    axis = channel_axis(array.shape, str(path))
    if mapped:
        return MappedImages(mapped, axis, np.arange(len(array)))
    return MemoryImages(np.ascontiguousarray(channels_first(array, axis)))


def _read(path: Path, memory_limit: int) -> tuple[np.ndarray, str]:
    """The array, and the file it is mapped from where it needs more than `memory_limit` bytes."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            zero, kind, dimensions = struct.unpack(">HBB", file.read(4))
            if zero or kind != _UBYTE:
                raise ValueError(f"type 0x{kind:02x} is not unsigned bytes")
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            mapped = str(spill_folder() / "array.npy") if math.prod(shape) > memory_limit else ""
            array = np.lib.format.open_memmap(mapped, "w+", np.uint8, shape) if mapped else np.empty(shape, np.uint8)
            for row in array.reshape(len(array), -1) if mapped else [array.reshape(-1)]:
                row[:] = np.frombuffer(file.read(row.size), np.uint8)
            if file.read(1):
                raise ValueError("there are bytes behind the last value")
            return array, mapped
    except (OSError, EOFError, ValueError, struct.error) as fault:
        raise DataError(f"{path}: not an IDX file of unsigned bytes ({fault})") from None
