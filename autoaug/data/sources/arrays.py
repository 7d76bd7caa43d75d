"""An ``.npz`` with ``x_train, y_train[, x_val, y_val][, x_test, y_test][, class_names]``; also with ``g_train`` and so
on, where images belong to groups that must stay together. ``train_images, train_labels``, as MedMNIST has them, and
capitals are the same.
"""

from __future__ import annotations

import math
import re
import zipfile
from pathlib import Path

import numpy as np

from autoaug.data.inputs import Inputs, MappedInputs, MemoryInputs, as_uint8, channels_first
from autoaug.data.source import ROLE_NAMES, Part, Role, Source, index_labels
from autoaug.data.sources.reading import MOST_PACKED, reading
from autoaug.data.spill import check_room, spill_folder
from autoaug.errors import DataError
from autoaug.functional.bounds import within_rounding

KEYS: dict[Role, str] = {"train": "train", "validation": "val", "test": "test"}
MODES = {1: "gray", 3: "RGB", 4: "RGBA"}
_CHUNK = 4096
_KEY = re.compile(r"(?P<what>[xyg])_(?P<split>[a-z]+)|(?P<part>[a-z]+)_(?P<kind>images|labels|groups)", re.IGNORECASE)
_LETTERS = {"images": "x", "labels": "y", "groups": "g"}


def open_npz(path: Path, memory_limit: int) -> Source:
    """Read the arrays, or map them from disk where they need more than `memory_limit` bytes."""
    with reading(path, "an .npz of plain arrays"):
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path}: not an .npz: it is no archive; write it with numpy.savez")
        with zipfile.ZipFile(path) as archive:
            return _open(path, archive, memory_limit)


def _open(path: Path, archive: zipfile.ZipFile, memory_limit: int) -> Source:
    keys, others = _keys(path, archive)
    if ("x", "train") not in keys or ("y", "train") not in keys:
        missing = "x_train" if ("x", "train") not in keys else "y_train"
        there = ", ".join(name.removesuffix(".npy") for name in archive.namelist()) or "none"
        raise DataError(f"{path}: there is no array {missing!r}; it has {there}")
    for letter, role in keys:
        for other, what in (("x", "images"), ("y", "labels")):
            if (other, role) not in keys:
                raise DataError(f"{path}: there is {keys[letter, role]} but no {other}_{KEYS[role]}, its {what}")
    roles: list[Role] = [role for role in KEYS if ("x", role) in keys]
    named = [name for name in others if name == "class_names"]
    names = _class_names(path, _array(archive, named[0])) if named else None
    labels, classes = index_labels([_labels(_array(archive, keys["y", role])) for role in roles], names, str(path))
    total = sum(_checked(archive, keys["x", role]).file_size for role in roles)
    images = [_images(path, archive, keys["x", role], total > memory_limit) for role in roles]
    shapes = {i.shape for i in images}
    if len(shapes) > 1:
        raise DataError(f"{path}: the parts have different image shapes {sorted(shapes)}; they must be one")
    groups = {role: _array(archive, keys["g", role]).astype(str) for role in roles if ("g", role) in keys}
    left_out = tuple(f"array {name!r}" for name in others if name not in named)
    parts = dict(zip(roles, zip(images, labels, strict=True), strict=True))
    return array_source(str(path), classes, parts, groups, left_out)


def _keys(path: Path, archive: zipfile.ZipFile) -> tuple[dict[tuple[str, Role], str], list[str]]:
    """Which array holds what (``x`` images, ``y`` labels, ``g`` groups) of which role, and the arrays of no role."""
    found: dict[tuple[str, Role], str] = {}
    others, unknown = [], set[tuple[str, str]]()
    for name in (member.removesuffix(".npy") for member in archive.namelist()):
        match = _KEY.fullmatch(name)
        if match is None:
            others.append(name)
            continue
        split = (match["split"] or match["part"]).lower()
        letter = (match["what"] or _LETTERS[match["kind"].lower()]).lower()
        if split not in ROLE_NAMES:
            unknown.add((letter, split))
            if {("x", split), ("y", split)} <= unknown:
                raise DataError(f"{path}: {split!r} is no split that is known; call it one of {', '.join(ROLE_NAMES)}")
            others.append(name)
            continue
        key = letter, ROLE_NAMES[split]
        if key in found:
            raise DataError(f"{path}: arrays {found[key]!r} and {name!r} are of the same split; keep one")
        found[key] = name
    return found, others


def _checked(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The member of an array, whose header agrees with the sizes in the archive; nothing of its size is allocated."""
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.hasobject:
            raise ValueError(f"array {name!r} holds Python objects")
        claimed, there = math.prod(shape) * dtype.itemsize, info.file_size - file.tell()
    packed = min(info.compress_size, Path(str(archive.filename)).stat().st_size)
    if claimed != there or info.file_size > MOST_PACKED * (packed + 1):
        raise ValueError(f"array {name!r} should have {claimed} bytes, but the archive holds {packed} for it")
    return info


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(_checked(archive, name)) as file:
        array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _labels(array: np.ndarray) -> np.ndarray:
    """``[N]``, also from the ``[N, 1]`` in which some keep labels."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _class_names(path: Path, array: np.ndarray) -> list[str]:
    if array.ndim != 1 or array.dtype.kind not in "USiu":
        found = f"{array.dtype} {list(array.shape)}"
        raise DataError(f"{path}: class_names must be a vector of text, not {found}; give one name per class")
    return [str(name) for name in (np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array)]


def array_source(
    name: str,
    classes: tuple[str, ...],
    parts: dict[Role, tuple[Inputs, np.ndarray]],
    groups: dict[Role, np.ndarray] | None = None,
    left_out: tuple[str, ...] = (),
) -> Source:
    """A source from images of one shape; raises `DataError` where images and labels, or groups, differ in number."""
    groups = groups or {}
    for role, (images, labels) in parts.items():
        if len(images) != len(labels):
            raise DataError(f"{name}: {len(images)} {role} images but {len(labels)} labels; one label per image")
        if role in groups and groups[role].shape != labels.shape:
            found = list(groups[role].shape)
            raise DataError(f"{name}: {len(images)} {role} images but groups of shape {found}; one group per image")
        if not len(labels):
            raise DataError(f"{name}: there are no {'training' if role == 'train' else role} images")
    channels, height, width = parts["train"][0].shape
    count = sum(len(labels) for _, labels in parts.values())
    return Source(
        name=name,
        classes=classes,
        parts={
            role: Part(images, labels, groups.get(role), tuple(f"{role} image {i}" for i in range(len(labels))))
            for role, (images, labels) in parts.items()
        },
        sizes={f"{height}x{width}": count},
        modes={MODES.get(channels, f"{channels} channels"): count},
        left_out=left_out,
    )


def channel_axis(shape: tuple[int, ...], where: str) -> int | None:
    """Which axis of ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]`` is C: the last if it has at most 4, else the
    second if that has, else the smaller of the two.
    """
    if len(shape) == 3:
        return None
    if len(shape) != 4:
        raise DataError(f"{where} must be [N, H, W], [N, H, W, C] or [N, C, H, W], not {list(shape)}")
    if shape[3] <= 4:
        return 3
    return 1 if shape[1] <= 4 or shape[1] < shape[3] else 3


def _images(path: Path, archive: zipfile.ZipFile, name: str, mapped: bool) -> Inputs:
    if mapped:
        info = _checked(archive, name)
        check_room(path, info.file_size)
        extracted = archive.extract(info, spill_folder())
        array: np.ndarray = np.load(extracted, mmap_mode="r")
    else:
        array = _array(archive, name)
    axis = channel_axis(array.shape, f"{path}: {name}")
    check_values(array, f"{path}: {name}")
    if mapped:
        return MappedInputs(extracted, axis, np.arange(len(array)))
    return MemoryInputs(as_uint8(channels_first(array, axis)))


def check_values(array: np.ndarray, where: str) -> None:
    """Raise `DataError` unless the array is uint8, or floats in [0, 1] without NaN."""
    if 0 in array.shape[1:]:
        raise DataError(f"{where} has images without pixels: {list(array.shape)}")
    if array.dtype == np.uint8:
        return
    if array.dtype.kind != "f":
        raise DataError(f"{where} must be uint8, or floats in [0, 1], not {array.dtype}")
    for start in range(0, len(array), _CHUNK):
        block = array[start : start + _CHUNK]
        if not np.isfinite(block).all():
            image = start + int(np.argwhere(~np.isfinite(block))[0][0])
            raise DataError(f"{where} has NaN or infinite pixels, first in image {image}; remove or repair them")
        if not within_rounding(block.min(initial=0), block.max(initial=0)):
            span = f"[{block.min():g}, {block.max():g}]"
            raise DataError(f"{where} has floats in {span}; scale them to [0, 1] or store uint8")
