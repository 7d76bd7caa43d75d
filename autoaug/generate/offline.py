"""Offline augmentation: write a data set with K augmented copies of each training sample, in its original format.

Copies are made in parts of a few hundred samples. All randomness of a part follows from its seed, which is in the
manifest, so that any part can be reproduced bit for bit.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field, RootModel, TypeAdapter

from autoaug.data.inputs import DECODERS, FileInputs, Reader
from autoaug.data.labels import require_classes
from autoaug.data.layouts.arrays import KEYS
from autoaug.data.layouts.folder import COPY, EXPANSION, MANIFEST
from autoaug.data.layouts.manifest import OF_CLASSES
from autoaug.data.source import Part, Role, Source
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan, mixing_of
from autoaug.errors import DataError, OptionError, RunError
from autoaug.generate.expanded_table import Copies, write_expanded
from autoaug.modalities.base import Loader
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.utils.facts import Facts, changes
from autoaug.utils.files import other_names, replacing, safe_name, write_whole
from autoaug.utils.json import read_lines, read_record
from autoaug.utils.locks import LOCK
from autoaug.utils.seeds import derive_seed

_PART = 256
#: A file of noise is about as large as its values; a tenth is added for the file format.
_ROOM = 1.1

Format = Literal["folder", "csv", "npz", "table"]
#: The formats in which samples are files of their own.
_FILES = ("folder", "csv")
#: Called with the number of finished copies and the number of all copies.
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Expansion:
    """What to make: `copies` (at least 1) of each training sample of the `source`, augmented with the `policy` and
    written in the `format`. All randomness follows from the `seed`. `rows` are those of a table; see `Tables`.
    """

    source: Source
    format: Format
    policy: Policy
    copies: int
    seed: int = 0
    rows: Mapping[str, Mapping[str, str]] | None = None

    @property
    def train(self) -> Part:
        return self.source.parts["train"]

    @property
    def loader(self) -> Loader:
        return get_modality(self.source.modality).loader

    def parts(self) -> list[_Part]:
        """The parts to make, each one copy of a range of training rows."""
        count = len(self.train)
        starts = [(copy, start) for copy in range(self.copies) for start in range(0, count, _PART)]
        return [
            _Part(number, np.arange(start, min(count, start + _PART)), copy, derive_seed(self.seed, "expand", number))
            for number, (copy, start) in enumerate(starts)
        ]


class _Part(NamedTuple):
    number: int
    rows: np.ndarray
    copy: int
    seed: int


@dataclass(frozen=True)
class Expanded:
    """The result of an expansion: `copies` made in `seconds` of augmenting and writing, and the bytes in the folder."""

    originals: int
    copies: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class _Made:
    """A line of the manifest: the `copy`-th copy of training sample `row`, made in a `part` with its `seed`."""

    file: str
    source: str
    row: Annotated[int, Field(ge=0)]
    copy: int
    part: Annotated[int, Field(ge=0)]
    seed: int


class _Originals(RootModel[tuple[tuple[str, str, str, str], ...]]):
    """Path, class, split and group of each original, as in the CSV."""


class _Begun(RootModel[dict[str, Any]]):
    """The facts that an expansion was begun with."""


_LINE: TypeAdapter[_Made] = TypeAdapter(_Made)
_CURE = "choose another folder with --out, or delete this one"


def expansion_of(data: str, source: Source, policy: Policy, copies: int, seed: int) -> Expansion:
    """The expansion of `data`, which were opened as `source`, in their own format."""
    tables = get_modality(source.modality).tables
    rows = None if tables is None else tables.rows(data)
    return Expansion(source, "table" if rows else format_of(data, source), policy, copies, seed, rows)


def format_of(data: str, source: Source) -> Format:
    """The format of `data`, which were opened as `source`, and are no table with the samples in it."""
    if not isinstance(source.parts["train"].inputs, FileInputs):
        return "npz"
    return "csv" if Path(data).suffix.lower() in (".csv", ".tsv") else "folder" if Path(data).is_dir() else "npz"


def expand(expansion: Expansion, out: Path, workers: int = 1, watch: Watch | None = None) -> Expanded:
    """Write the source to the folder `out`, with augmented copies of every training sample. An interrupted expansion is
    resumed.

    Args:
        expansion: what to make.
        out: the folder, created if missing; for the format ``npz`` it gets ``data.npz``, for tables ``data.csv``.
        workers: the number of threads.
        watch: called with the progress.

    Raises:
        OptionError: the number of copies is below 1, the policy mixes labels or has a schedule, or the source already
            has augmented copies.
        RunError: `out` holds something else.
        DataError: the disk has too little space.
    """
    _check_options(expansion)
    _check_room(expansion, out)
    _begin(out, _about(expansion))
    begun = time.perf_counter()
    parts = expansion.parts()
    done = _keep_whole_parts(out / MANIFEST, parts)
    made, total = sum(len(parts[number].rows) for number in done), len(expansion.train) * expansion.copies
    if expansion.format in _FILES:
        _copy_originals(expansion, out)
    with ThreadPoolExecutor(workers) as pool:
        work = [pool.submit(_make_part, expansion, out, part) for part in parts if part.number not in done]
        try:
            for ended in work:
                lines = ended.result()
                with (out / MANIFEST).open("a", encoding="utf-8") as file:
                    file.write("".join(json.dumps(asdict(line)) + "\n" for line in lines))
                made += len(lines)
                if watch is not None:
                    watch(made, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if expansion.format == "csv":
        _write_csv(expansion, out)
    if expansion.format == "npz":
        _write_npz(expansion, out)
    if expansion.format == "table":
        _write_table(expansion, out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Expanded(len(expansion.train), total, time.perf_counter() - begun, size)


def _check_options(expansion: Expansion) -> None:
    policy, copies = expansion.policy, expansion.copies
    if expansion.format != "table":
        require_classes(expansion.train.labels, "a folder with copies")
    if expansion.train.augmented is not None:
        raise OptionError(
            f"{expansion.source.name} holds augmented copies already; expand the data that they are of, with more "
            "--copies"
        )
    if copies < 1:
        raise OptionError(f"--copies {copies} must be at least 1")
    mixes = policy.mixing is not None and mixing_of(expansion.source.modality).mixes_labels
    if mixes or policy.schedule:
        what = "mixes samples and labels" if mixes else "has a schedule"
        raise OptionError(f"policy {policy.name!r} {what}, which files cannot represent; use it in training instead")
    if policy.mixing is not None and not {"validation", "test"} <= expansion.source.parts.keys():
        raise OptionError(f"policy {policy.name!r} joins samples: the data need validation and test splits")


def _about(expansion: Expansion) -> Facts:
    """The facts of an expansion, and the folder names of classes whose own names are not valid ones."""
    about = {
        "policy": expansion.policy.fingerprint(),
        "copies": expansion.copies,
        "seed": expansion.seed,
        "format": expansion.format,
        "samples": len(expansion.train),
        "data": _digest(expansion.source),
        "resources": dict(get_modality(expansion.source.modality).resources()),
    }
    unsafe = other_names(expansion.source.classes) if expansion.format in _FILES else {}
    return {**about, "renamed": unsafe} if unsafe else about


def _augment(expansion: Expansion, part: _Part) -> np.ndarray:
    generator = torch.Generator().manual_seed(part.seed)
    plan = draw_plan(expansion.policy, len(part.rows), generator, expansion.source.modality)
    return apply_plan(plan, torch.from_numpy(expansion.train.inputs.take(part.rows)), check=False).numpy()


def _make_part(expansion: Expansion, out: Path, part: _Part) -> list[_Made]:
    train, inputs = expansion.train, _augment(expansion, part)
    if expansion.format not in _FILES:
        path = _array_of(out, part)
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            np.save(file, inputs)
        paths = [path] * len(part.rows)
    else:
        paths = []
        for sample, row in zip(inputs, part.rows.tolist(), strict=True):
            path = _class_folder(expansion.source, out, "train", train.labels[row])
            path.mkdir(parents=True, exist_ok=True)
            paths.append(path / f"{row:07}{COPY}{part.copy + 1}{expansion.loader.ending}")
            expansion.loader.write(sample, paths[-1])
    return [
        _Made(str(path.relative_to(out)), train.names[row], row, part.copy, part.number, part.seed)
        for path, row in zip(paths, part.rows.tolist(), strict=True)
    ]


def _array_of(out: Path, part: _Part) -> Path:
    """The file with the copies of a part, until the data are written."""
    return out / f"part-{part.number:06}.npy"


def _class_folder(source: Source, out: Path, split: str, label: int) -> Path:
    return out / split / safe_name(source.classes[label])


def _copy_originals(expansion: Expansion, out: Path) -> None:
    """Copy every original to a folder by split and class, and list them for the CSV if that is the format.

    Originals in the same storage form as the copies are copied byte for byte. Others are rewritten as they were read,
    so that a loader finds only one kind of sample.
    """
    source, listed = expansion.source, []
    for role, part in source.parts.items():
        inputs = part.inputs
        assert isinstance(inputs, FileInputs)
        stems = [_class_folder(source, out, KEYS[role], label) / f"{row:07}" for row, label in enumerate(part.labels)]

        def copy(path: str, stem: Path, reader: Reader = inputs.reader) -> Path:
            return _copy(Path(path), stem, reader, expansion.loader)

        with ThreadPoolExecutor(DECODERS) as pool:
            targets = list(pool.map(copy, inputs.paths, stems))
        for row, (target, label) in enumerate(zip(targets, part.labels, strict=True)):
            listed.append((str(target.relative_to(out)), source.classes[label], KEYS[role], part.group_of(row)))
    if expansion.format == "csv":
        write_whole(out / "originals.json", json.dumps(listed))


def _copy(path: Path, stem: Path, reader: Reader, loader: Loader) -> Path:
    """Copy or rewrite an original to `stem` plus a suffix; return the new path."""
    rewritten = reader.rewritten(path)
    copied = stem.with_suffix(path.suffix.lower() if rewritten is None else loader.ending)
    copied.parent.mkdir(parents=True, exist_ok=True)
    if rewritten is None:
        if not copied.is_file() or copied.stat().st_size != path.stat().st_size:
            shutil.copyfile(path, copied)
    elif not copied.is_file():
        with replacing(copied) as unfinished:
            loader.write(rewritten, unfinished)
    return copied


def _write_csv(expansion: Expansion, out: Path) -> None:
    """Write the CSV that `autoaug` reads: originals, then copies, each in the group of its original."""
    train = expansion.train
    rows = list(read_record(out / "originals.json", _Originals, RunError, cure=_CURE).root)
    rows += [
        (line.file, expansion.source.classes[train.labels[line.row]], "train", train.group_of(line.row))
        for line in _lines(out / MANIFEST)
    ]
    path = out / "data.csv"
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(OF_CLASSES)
        writer.writerows(rows)
    (out / "originals.json").unlink()


def _write_npz(expansion: Expansion, out: Path) -> None:
    """Write ``data.npz`` with the originals before the copies; then delete the files of the parts."""
    as_array = expansion.loader.as_array
    arrays = {"class_names": np.array(expansion.source.classes), **expansion.loader.beside}
    for role, part in expansion.source.parts.items():
        arrays[f"x_{KEYS[role]}"] = as_array(part.inputs.take(np.arange(len(part))))
        arrays[f"y_{KEYS[role]}"] = part.labels
        arrays[f"g_{KEYS[role]}"] = np.array([part.group_of(row) for row in range(len(part))])
    paths = [_array_of(out, part) for part in expansion.parts()]
    rows = np.array([line.row for line in sorted(_lines(out / MANIFEST), key=lambda line: line.part)])
    copies = np.concatenate([np.load(path, allow_pickle=False) for path in paths])
    arrays["x_train"] = np.concatenate([arrays["x_train"], as_array(copies)])
    arrays["c_train"] = np.arange(len(arrays["x_train"])) >= len(expansion.train)
    for key in ("y_train", "g_train"):
        arrays[key] = np.concatenate([arrays[key], arrays[key][rows]])
    with replacing(out / "data.npz") as unfinished, unfinished.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    for path in paths:
        path.unlink()


def _write_table(expansion: Expansion, out: Path) -> None:
    """Write ``data.csv``; then delete the files of the parts."""
    tables, parts = get_modality(expansion.source.modality).tables, expansion.parts()
    assert tables is not None
    assert expansion.rows is not None
    made = (
        Copies(part.rows.tolist(), part.copy + 1, np.load(_array_of(out, part), allow_pickle=False)) for part in parts
    )
    write_expanded(out, expansion.source, expansion.rows, tables, made)
    for part in parts:
        _array_of(out, part).unlink()


def _keep_whole_parts(path: Path, parts: list[_Part]) -> set[int]:
    """The parts whose lines are all in the manifest; lines of incomplete parts are removed from it."""
    lines = _lines(path)
    rows: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        rows[line.part].append(line.row)
    whole = {part for part, made in rows.items() if part < len(parts) and made == parts[part].rows.tolist()}
    kept = "".join(json.dumps(asdict(line)) + "\n" for line in lines if line.part in whole)
    if path.is_file():
        write_whole(path, kept)
    return whole


def _lines(path: Path) -> list[_Made]:
    """The undamaged lines of the manifest."""
    return read_lines(path, _LINE, RunError)


def _digest(source: Source) -> str:
    """A fingerprint of the names and labels of the data; the samples are not read."""
    digest = hashlib.sha256(json.dumps(source.classes).encode())
    for role, part in source.parts.items():
        names = [Path(name).name for name in part.names]
        digest.update(json.dumps([role, names, part.labels.tolist()]).encode())
    return digest.hexdigest()[:12]


def _begin(out: Path, about: Facts) -> None:
    path = out / EXPANSION
    if path.is_file():
        if differing := changes(read_record(path, _Begun, RunError, cure=_CURE).root, about):
            raise RunError(f"{out} holds another expansion ({differing}); choose another folder with --out")
        if (out / "data.npz").is_file() or (out / "data.csv").is_file():
            raise RunError(f"{out} already holds this expansion, complete")
        return
    if out.exists() and (not out.is_dir() or any(path.name != LOCK for path in out.iterdir())):
        raise RunError(f"{out} holds other files; choose an empty or new folder with --out")
    write_whole(path, json.dumps(about))


def _check_room(expansion: Expansion, out: Path) -> None:
    """Raise `DataError`, before anything is written, if the disk has too little space."""
    count: dict[Role, int] = {role: len(part) for role, part in expansion.source.parts.items()}
    inputs, copies = expansion.train.inputs, expansion.copies
    bytes_each = math.prod(inputs.shape) * inputs.dtype.itemsize
    needed = int(_ROOM * bytes_each * (sum(count.values()) + 2 * copies * count["train"]))
    folder = out.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{out}: {copies} copies of {count['train']} samples may take {needed / 2**30:.1f} GiB, but the disk has "
            f"{free / 2**30:.1f}; make fewer copies or choose another disk with --out"
        )
