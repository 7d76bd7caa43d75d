"""An ``.npz`` with ``x_train, y_train[, x_val, y_val][, x_test, y_test][, class_names]``; also with ``g_train`` and so
on, where images belong to groups that must stay together.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from autoaug.data.images import Images, MappedImages, MemoryImages, as_uint8, channels_first
from autoaug.data.source import Part, Role, Source, index_labels
from autoaug.data.spill import spill_folder
from autoaug.errors import DataError

KEYS: dict[Role, str] = {"train": "train", "validation": "val", "test": "test"}
MODES = {1: "grey", 3: "RGB", 4: "RGBA"}
_CHUNK = 4096


def open_npz(path: Path, memory_limit: int) -> Source:
    """Read the arrays, or map them from disk where they need more than `memory_limit` bytes."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return _open(path, file, memory_limit)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as fault:
        raise DataError(f"{path}: not an .npz of plain arrays ({fault})") from None


def _open(path: Path, file: np.lib.npyio.NpzFile, memory_limit: int) -> Source:
    for key in ("x_train", "y_train"):
        if key not in file.files:
            raise DataError(f"{path}: there is no array {key!r}; it has {', '.join(file.files) or 'none'}")
    roles = [role for role, key in KEYS.items() if f"x_{key}" in file.files]
    for role in roles:
        if f"y_{KEYS[role]}" not in file.files:
            raise DataError(f"{path}: there is x_{KEYS[role]} but no y_{KEYS[role]}")
    names = [str(name) for name in file["class_names"]] if "class_names" in file.files else None
    labels, classes = index_labels([file[f"y_{KEYS[role]}"] for role in roles], names, str(path))
    with zipfile.ZipFile(path) as archive:
        total = sum(archive.getinfo(f"x_{KEYS[role]}.npy").file_size for role in roles)
    images = [_images(path, file, f"x_{KEYS[role]}", total > memory_limit) for role in roles]
    shapes = {i.shape for i in images}
    if len(shapes) > 1:
        raise DataError(f"{path}: the parts have different image shapes {sorted(shapes)}; they must be one")
    groups = {role: file[f"g_{KEYS[role]}"].astype(str) for role in roles if f"g_{KEYS[role]}" in file.files}
    return array_source(str(path), classes, dict(zip(roles, zip(images, labels, strict=True), strict=True)), groups)


def array_source(
    name: str,
    classes: tuple[str, ...],
    parts: dict[Role, tuple[Images, np.ndarray]],
    groups: dict[Role, np.ndarray] | None = None,
) -> Source:
    """A source from images of one shape; raises `DataError` where images and labels, or groups, differ in number."""
    groups = groups or {}
    for role, (images, labels) in parts.items():
        if len(images) != len(labels):
            raise DataError(f"{name}: {len(images)} {role} images but {len(labels)} labels; one label an image")
        if role in groups and groups[role].shape != labels.shape:
            found = list(groups[role].shape)
            raise DataError(f"{name}: {len(images)} {role} images but groups of shape {found}; one group an image")
    if not len(parts["train"][1]):
        raise DataError(f"{name}: there are no training images")
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


def _images(path: Path, file: np.lib.npyio.NpzFile, key: str, mapped: bool) -> Images:
    if mapped:
        name = _extract(path, key)
        array: np.ndarray = np.load(name, mmap_mode="r")
    else:
        array = file[key]
    axis = channel_axis(array.shape, f"{path}: {key}")
    check_values(array, f"{path}: {key}")
    if mapped:
        return MappedImages(name, axis, np.arange(len(array)))
    return MemoryImages(as_uint8(channels_first(array, axis)))


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
        if block.min(initial=0) < 0 or block.max(initial=0) > 1:
            span = f"[{block.min():g}, {block.max():g}]"
            raise DataError(f"{where} has floats in {span}; scale them to [0, 1] or store uint8")


def _extract(path: Path, key: str) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.extract(f"{key}.npy", spill_folder())
