"""Offline augmentation: write a data set with K augmented copies of each training sample, in its original format.

Copies are made in parts of a few hundred samples. All randomness of a part follows from its seed, which is in the
manifest, so that any part can be reproduced bit for bit.
"""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field, RootModel, TypeAdapter

from autoaug.data.inputs import DECODERS, FileInputs, Reader, pick
from autoaug.data.labels import kind_of
from autoaug.data.layouts.arrays import KEYS
from autoaug.data.layouts.folder import COPY, EXPANDED, EXPANDED_ARRAYS, MANIFEST
from autoaug.data.layouts.manifest import LABEL_COLUMNS, cell_of
from autoaug.data.source import Source
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.errors import RunError
from autoaug.generate.expanded_table import Copies, write_expanded
from autoaug.generate.expansion import CURE, FILES, ExpandedPart, Expansion, begin, checked
from autoaug.modalities.base import Loader
from autoaug.modalities.operators import learned_from, learned_nothing, prepare
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import check_can_work
from autoaug.utils.files import replacing, safe_name, write_atomically
from autoaug.utils.json import read_lines, read_record

#: Called with the number of finished copies and the number of all copies.
Watch = Callable[[int, int], None]


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
    """Path, label, split and group of each original, as in the CSV."""


_LINE: TypeAdapter[_Made] = TypeAdapter(_Made)


def expand(expansion: Expansion, out: Path, workers: int = 1, watch: Watch | None = None) -> Expanded:
    """Write the source to the folder `out`, with augmented copies of every training sample. An interrupted expansion is
    resumed.

    Args:
        expansion: what to make.
        out: the folder, created if missing; for the format ``npz`` it gets ``data.npz``, for tables ``data.csv``.
        workers: the number of threads.
        watch: called with the progress.

    Raises:
        AutoaugError: as `checked` does, or what an operator needs cannot be made.
    """
    facts = checked(expansion, out)
    begun = time.perf_counter()
    expansion = _prepared(expansion)
    begin(out, facts)
    parts = expansion.parts()
    done = _keep_whole_parts(out / MANIFEST, parts)
    made, total = sum(len(parts[number].rows) for number in done), len(expansion.train) * expansion.copies
    if expansion.format in FILES:
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


def _prepared(expansion: Expansion) -> Expansion:
    """The same with what the policy's operators have learned from the training samples, which may take long."""
    train, policy = expansion.train, expansion.policy
    inputs, operators = pick(train.inputs, train.originals), policy.operator_names()
    learned = learned_from(inputs, operators)
    check_can_work(policy, learned_nothing(learned))
    prepare([inputs], operators)
    return replace(expansion, policy=policy.with_learned(learned))


def _augment(expansion: Expansion, part: ExpandedPart) -> np.ndarray:
    generator = torch.Generator().manual_seed(part.seed)
    plan = draw_plan(expansion.policy, len(part.rows), generator, expansion.source.modality)
    return apply_plan(plan, torch.from_numpy(expansion.train.inputs.take(part.rows)), check=False).numpy()


def _make_part(expansion: Expansion, out: Path, part: ExpandedPart) -> list[_Made]:
    train, inputs = expansion.train, _augment(expansion, part)
    if expansion.format not in FILES:
        path = _array_of(out, part)
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            np.save(file, inputs)
        paths = [path] * len(part.rows)
    else:
        paths = []
        for sample, row in zip(inputs, part.rows.tolist(), strict=True):
            path = _folder_of(expansion.source, out, "train", train.labels[row])
            path.mkdir(parents=True, exist_ok=True)
            paths.append(path / f"{row:07}{COPY}{part.copy + 1}{expansion.loader.suffix}")
            expansion.loader.write(sample, paths[-1])
    return [
        _Made(str(path.relative_to(out)), train.names[row], row, part.copy, part.number, part.seed)
        for path, row in zip(paths, part.rows.tolist(), strict=True)
    ]


def _array_of(out: Path, part: ExpandedPart) -> Path:
    """The file with the copies of a part, until the data are written."""
    return out / f"part-{part.number:06}.npy"


def _folder_of(source: Source, out: Path, split: str, label: np.ndarray) -> Path:
    """The folder of a class in that of its split; samples with other labels are all in that of the split."""
    return out / split / safe_name(source.classes[int(label)]) if label.ndim == 0 else out / split


def _copy_originals(expansion: Expansion, out: Path) -> None:
    """Copy every original to a folder by split and class, see `_folder_of`, and list them for the CSV if that is the
    format.

    Originals in the same storage form as the copies are copied byte for byte. Others are rewritten as they were read,
    so that a loader finds only one kind of sample.
    """
    source, listed = expansion.source, []
    for role, part in source.parts.items():
        inputs = part.inputs
        assert isinstance(inputs, FileInputs)
        stems = [_folder_of(source, out, KEYS[role], label) / f"{row:07}" for row, label in enumerate(part.labels)]

        def copy(path: str, stem: Path, reader: Reader = inputs.reader) -> Path:
            return _copy(Path(path), stem, reader, expansion.loader)

        with ThreadPoolExecutor(DECODERS) as pool:
            targets = list(pool.map(copy, inputs.paths, stems))
        for row, (target, label) in enumerate(zip(targets, part.labels, strict=True)):
            cell = cell_of(label, source.classes)
            listed.append((str(target.relative_to(out)), cell, KEYS[role], part.group_of(row)))
    if expansion.format == "csv":
        write_atomically(out / "originals.json", json.dumps(listed))


def _copy(path: Path, stem: Path, reader: Reader, loader: Loader) -> Path:
    """Copy or rewrite an original to `stem` plus a suffix; return the new path."""
    rewritten = reader.rewritten(path)
    copied = stem.with_suffix(path.suffix.lower() if rewritten is None else loader.suffix)
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
    rows = list(read_record(out / "originals.json", _Originals, RunError, cure=CURE).root)
    rows += [
        (line.file, cell_of(train.labels[line.row], expansion.source.classes), "train", train.group_of(line.row))
        for line in _lines(out / MANIFEST)
    ]
    path = out / EXPANDED
    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("path", LABEL_COLUMNS[kind_of(train.labels)], "split", "group"))
        writer.writerows(rows)
    (out / "originals.json").unlink()


def _write_npz(expansion: Expansion, out: Path) -> None:
    """Write ``data.npz`` with the originals before the copies; then delete the files of the parts."""
    as_array = expansion.loader.as_array
    arrays = {"class_names": np.array(expansion.source.classes), **expansion.loader.extra_arrays}
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
    with replacing(out / EXPANDED_ARRAYS) as unfinished, unfinished.open("wb") as file:
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


def _keep_whole_parts(path: Path, parts: list[ExpandedPart]) -> set[int]:
    """The parts whose lines are all in the manifest; lines of incomplete parts are removed from it."""
    lines = _lines(path)
    rows: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        rows[line.part].append(line.row)
    whole = {part for part, made in rows.items() if part < len(parts) and made == parts[part].rows.tolist()}
    kept = "".join(json.dumps(asdict(line)) + "\n" for line in lines if line.part in whole)
    if path.is_file():
        write_atomically(path, kept)
    return whole


def _lines(path: Path) -> list[_Made]:
    """The undamaged lines of the manifest."""
    return read_lines(path, _LINE, RunError)
