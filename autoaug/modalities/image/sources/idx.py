"""A folder of IDX files, the format of MNIST: ``train-images-idx3-ubyte[.gz]`` and its three siblings."""

from __future__ import annotations

import gzip
import math
import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from autoaug.data.inputs import Inputs
from autoaug.data.labels import index_labels
from autoaug.data.layouts.arrays import array_inputs
from autoaug.data.layouts.reading import reading
from autoaug.data.source import ROLE_NAMES, Role, Source
from autoaug.data.spill import SpillFolder, check_room
from autoaug.errors import DataError
from autoaug.modalities.image.sources.arrays import image_source, prepare
from autoaug.utils.npz import MOST_PACKED

_ROLES: dict[str, Role] = {**ROLE_NAMES, "t10k": "test"}
_UBYTE = 0x08


def is_idx_folder(folder: Path) -> bool:
    """Whether the folder has files with names in the MNIST format."""
    return any(_files(folder))


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if _plain(p.name).endswith("ubyte") and not p.is_dir())


def _plain(name: str) -> str:
    return name.lower().removesuffix(".gz")


def open_idx(folder: Path, memory_limit: int) -> Source:
    """Open image and label files, paired by the split in their names (``train``, ``val``, ``t10k``…)."""
    files: dict[tuple[Role, str], Path] = {}
    for path in _files(folder):
        words = re.split(r"[^a-z0-9]+", path.name.lower())
        role = next((_ROLES[word] for word in words if word in _ROLES), None)
        kind = next((kind for kind in ("images", "labels") if kind in words), None)
        if role is None or kind is None:
            raise DataError(
                f"{folder}: the name {path.name} does not tell its split and kind; rename it like "
                "train-images-idx3-ubyte, or move it"
            )
        other = files.get((role, kind))
        if other is not None and _plain(other.name) != _plain(path.name):
            raise DataError(f"{folder}: {other.name} and {path.name} are both {kind} of the {role} split; keep one")
        files[role, kind] = path
    roles: list[Role] = [role for role in dict.fromkeys(_ROLES.values()) if (role, "images") in files]
    if "train" not in roles:
        raise DataError(f"{folder}: there is no train-images-idx3-ubyte[.gz] among the IDX files")
    for (role, kind), path in files.items():
        other_kind = "labels" if kind == "images" else "images"
        if (role, other_kind) not in files:
            raise DataError(f"{folder}: there is {path.name}, but no file with its {other_kind}")
    labels, classes = index_labels([_read(files[role, "labels"], memory_limit)[0] for role in roles], None, str(folder))
    images = [_images(files[role, "images"], memory_limit) for role in roles]
    return image_source(str(folder), classes, dict(zip(roles, zip(images, labels, strict=True), strict=True)))


def _images(path: Path, memory_limit: int) -> Inputs:
    array, spill = _read(path, memory_limit)
    return array_inputs(array, spill, prepare(array, str(path)))


def _read(path: Path, memory_limit: int) -> tuple[np.ndarray, SpillFolder | None]:
    """The array; if it needs more than `memory_limit` bytes, it is mapped from a file in the folder."""
    with reading(path, "an IDX file of unsigned bytes"):
        is_packed = path.suffix.lower() == ".gz"
        with gzip.open(path) if is_packed else path.open("rb") as file:
            shape = _header(file)
            size = math.prod(shape)
            if size > path.stat().st_size * (MOST_PACKED if is_packed else 1):
                raise ValueError(f"its header claims {size} bytes, more than the file can hold")
            spill = SpillFolder() if size > memory_limit else None
            array: np.ndarray
            if spill is None:
                array = np.empty(shape, np.uint8)
            else:
                check_room(path, size)
                array = np.lib.format.open_memmap(spill.path / "array.npy", "w+", np.uint8, shape)
            for row in [array.reshape(-1)] if spill is None else array.reshape(len(array), -1):
                row[:] = np.frombuffer(file.read(row.size), np.uint8)
            if file.read(1):
                raise ValueError("there are bytes after the last value")
            return array, spill


def _header(file: BinaryIO | gzip.GzipFile) -> tuple[int, ...]:
    zero, kind, dimensions = struct.unpack(">HBB", file.read(4))
    if zero or kind != _UBYTE:
        raise ValueError(f"type 0x{kind:02x} is not unsigned bytes")
    if not 1 <= dimensions <= 4:
        raise ValueError(f"it has {dimensions} dimensions")
    return struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
