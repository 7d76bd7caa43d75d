"""An ``.npz`` file with ``x_train, y_train[, x_val, y_val][, x_test, y_test][, class_names]``, with ``g_train`` and so
on if samples belong to groups that must stay together, and with ``c_train`` if some are augmented copies (true). Case
does not matter. Labels with columns are several labels per sample (0 and 1), or numbers to predict. Words are accepted
too, before or after the split: ``train_NOUNs, train_labels, train_groups, train_copies`` or ``groups_train``, where
NOUN is the modality's word for a sample. Names without a split, such as ``x, y`` or ``NOUNs, labels``, are of training
samples.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoaug.data.inputs import Convert, ConvertedInputs, Inputs, MappedInputs, MemoryInputs
from autoaug.data.labels import index_labels
from autoaug.data.layouts.reading import reading
from autoaug.data.source import ROLE_NAMES, Part, Role, Source
from autoaug.data.spill import SpillFolder, check_room
from autoaug.errors import DataError
from autoaug.utils.npz import array_names, checked_member, read_array

KEYS: dict[Role, str] = {"train": "train", "validation": "val", "test": "test"}

#: Checks an array of samples, and returns the function that converts its rows. Raises `DataError`, in which the text
#: names the array.
Prepare = Callable[[np.ndarray, str], Convert]


def open_npz(path: Path, memory_limit: int, prepare: Prepare, noun: str = "sample") -> Source:
    """Read the arrays, or map them from disk if they need more than `memory_limit` bytes."""
    with reading(path, "an .npz of plain arrays"):
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path}: not an .npz file: it is not an archive; write it with numpy.savez")
        with zipfile.ZipFile(path) as archive:
            return _open(path, archive, memory_limit, prepare, noun)


def array_inputs(array: np.ndarray, spill: SpillFolder | None, convert: Convert) -> Inputs:
    """The samples of an array, which may be mapped from a file in the temporary folder `spill`."""
    if isinstance(array, np.memmap):
        return ConvertedInputs(MappedInputs(str(array.filename), np.arange(len(array)), spill), convert)
    return MemoryInputs(convert(array))


def converted(source: Source, convert: Convert, rule: str) -> Source:
    """The source with samples that `convert` changes as they are read, as the `rule` says in words."""
    parts = {role: replace(part, inputs=ConvertedInputs(part.inputs, convert)) for role, part in source.parts.items()}
    return replace(source, parts=parts, rule="; ".join(filter(None, (rule, source.rule))))


def _open(path: Path, archive: zipfile.ZipFile, memory_limit: int, prepare: Prepare, noun: str) -> Source:
    keys, others = _keys(path, archive, noun)
    if ("x", "train") not in keys or ("y", "train") not in keys:
        missing = "x_train" if ("x", "train") not in keys else "y_train"
        there = ", ".join(array_names(archive)) or "none"
        raise DataError(f"{path}: there is no array {missing!r}; it has {there}")
    for letter, role in keys:
        for other, what in (("x", f"{noun}s"), ("y", "labels")):
            if (other, role) not in keys:
                raise DataError(f"{path}: there is {keys[letter, role]} but no {other}_{KEYS[role]}, its {what}")
    roles: list[Role] = [role for role in KEYS if ("x", role) in keys]
    named = [name for name in others if name.lower() == "class_names"]
    names = _class_names(path, read_array(archive, named[0])) if named else None
    labels, classes = index_labels([_labels(read_array(archive, keys["y", role])) for role in roles], names, str(path))
    total = sum(checked_member(archive, keys["x", role]).file_size for role in roles)
    inputs = [_inputs(path, archive, keys["x", role], total > memory_limit, prepare) for role in roles]
    shapes = {one.shape for one in inputs}
    if len(shapes) > 1:
        raise DataError(f"{path}: the {noun}s of the parts have different shapes {sorted(shapes)}; use one shape")
    groups = {role: read_array(archive, keys["g", role]).astype(str) for role in roles if ("g", role) in keys}
    augmented = {role: read_array(archive, keys["c", role]).astype(bool) for role in roles if ("c", role) in keys}
    left_out = tuple(f"array {name!r}" for name in others if name not in named)
    parts = dict(zip(roles, zip(inputs, labels, strict=True), strict=True))
    source = array_source(str(path), classes, parts, groups, left_out, noun)
    for role, copies in augmented.items():
        if copies.shape != (len(source.parts[role]),):
            raise DataError(f"{path}: {keys['c', role]} has the shape {list(copies.shape)}; one value per {noun}")
    marked = {role: replace(part, augmented=augmented.get(role)) for role, part in source.parts.items()}
    return replace(source, parts=marked)


def _keys(path: Path, archive: zipfile.ZipFile, noun: str) -> tuple[dict[tuple[str, Role], str], list[str]]:
    """The names of the arrays by content (``x`` samples, ``y`` labels, ``g`` groups, ``c`` whether copies) and role,
    and all other names.
    """
    letters = {f"{noun}s": "x", "labels": "y", "groups": "g", "copies": "c"}
    words = "|".join(letters)
    pattern = rf"(?P<what>[xygc]|{words})_(?P<split>[a-z]+)|(?P<part>[a-z]+)_(?P<kind>{words})|(?P<only>[xygc]|{words})"
    keys: dict[tuple[str, Role], str] = {}
    others, unknown = [], set[tuple[str, str]]()
    for name in array_names(archive):
        match = re.fullmatch(pattern, name, re.IGNORECASE)
        if match is None:
            others.append(name)
            continue
        split = (match["split"] or match["part"] or "train").lower()
        what = (match["what"] or match["kind"] or match["only"]).lower()
        letter = letters.get(what, what)
        if split not in ROLE_NAMES:
            unknown.add((letter, split))
            if {("x", split), ("y", split)} <= unknown:
                raise DataError(f"{path}: {split!r} is not a known split; use one of {', '.join(ROLE_NAMES)}")
            others.append(name)
            continue
        key = letter, ROLE_NAMES[split]
        if key in keys:
            raise DataError(f"{path}: arrays {keys[key]!r} and {name!r} belong to the same split; keep one")
        keys[key] = name
    return keys, others


def _labels(array: np.ndarray) -> np.ndarray:
    """Labels ``[N]``, given as ``[N]`` or ``[N, 1]``; a column of floating-point numbers is to be predicted as such."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind != "f" else array


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
    noun: str = "sample",
) -> Source:
    """A source from samples of one shape; messages call a sample `noun`. Raises `DataError` if the numbers of samples,
    labels and groups differ.
    """
    groups = groups or {}
    for role, (inputs, labels) in parts.items():
        if len(inputs) != len(labels):
            raise DataError(f"{name}: {len(inputs)} {role} {noun}s but {len(labels)} labels; one label per {noun}")
        if role in groups and groups[role].shape != labels.shape[:1]:
            found = list(groups[role].shape)
            raise DataError(f"{name}: {len(inputs)} {role} {noun}s but groups of shape {found}; one group per {noun}")
        if not len(labels):
            raise DataError(f"{name}: there are no {'training' if role == 'train' else role} {noun}s")
    shape = " x ".join(map(str, parts["train"][0].shape))
    return Source(
        name=name,
        classes=classes,
        parts={
            role: Part(inputs, labels, groups.get(role), tuple(f"{role} {noun} {i}" for i in range(len(labels))))
            for role, (inputs, labels) in parts.items()
        },
        forms={"shapes": {shape: sum(len(labels) for _, labels in parts.values())}},
        left_out=left_out,
    )


def _inputs(path: Path, archive: zipfile.ZipFile, name: str, is_mapped: bool, prepare: Prepare) -> Inputs:
    spill = SpillFolder() if is_mapped else None
    if spill is None:
        array = read_array(archive, name)
    else:
        info = checked_member(archive, name)
        check_room(path, info.file_size)
        array = np.load(archive.extract(info, spill.path), mmap_mode="r")
    return array_inputs(array, spill, prepare(array, f"{path}: {name}"))
