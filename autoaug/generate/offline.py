"""Offline copies: a data set enlarged on disk, N + K N samples in the format in which it came.

Copies are made in parts of some hundred samples. All the chance of a part follows from its seed, which stands in the
manifest: a part, and with it any copy, can be made again bit for bit.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, RootModel, TypeAdapter

from autoaug.data.inputs import DECODERS, FileImages
from autoaug.data.source import Part, Role, Source
from autoaug.data.sources.arrays import KEYS
from autoaug.data.sources.folder import COPY, EXPANSION, MANIFEST
from autoaug.data.sources.manifest import COLUMNS
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.errors import DataError, OptionError, RunError
from autoaug.modalities.image.decoding import Shape, as_picture, decode, image_endings, read_header
from autoaug.policy.models import Policy
from autoaug.utils.facts import Facts, changes
from autoaug.utils.files import renamed, safe_name, write_whole
from autoaug.utils.json import read_lines, read_record
from autoaug.utils.locks import LOCK
from autoaug.utils.seeds import derive_seed

_PART = 256
#: A PNG of noise is about as large as its pixels; a tenth more is for what stands around them.
_ROOM = 1.1

#: Told how many of all copies are there.
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Expansion:
    """What an expansion took: `copies` made in `seconds` of augmenting and writing, and the bytes in the folder."""

    originals: int
    copies: int
    seconds: float
    bytes: int


@dataclass(frozen=True)
class _Made:
    """A copy, as a line of the manifest: sample `row` of the training part, its `copy`-th copy, of which part."""

    file: str
    source: str
    row: Annotated[int, Field(ge=0)]
    copy: int
    part: Annotated[int, Field(ge=0)]
    seed: int


class _Originals(RootModel[tuple[tuple[str, str, str, str], ...]]):
    """Path, class, split and group of each original, as they stand in the CSV."""


class _Begun(RootModel[dict[str, Any]]):
    """What a folder is an expansion of."""


_LINE: TypeAdapter[_Made] = TypeAdapter(_Made)
_CURE = "name another folder with --out, or delete this one"


def expand(
    source: Source,
    kind: str,
    policy: Policy,
    copies: int,
    out: Path,
    seed: int,
    workers: int,
    watch: Watch | None = None,
) -> Expansion:
    """Write `source` to the folder `out`, its training part with `copies` augmented copies of every sample; goes on
    where the same expansion was interrupted.

    Args:
        source: the data.
        kind: ``folder``, ``csv`` or ``npz``, the format to write.
        policy: what to make copies by.
        copies: of each training sample, at least 1.
        out: the folder, which is made; for ``npz`` it gets ``data.npz``.
        seed: of all chance.
        workers: threads.
        watch: told of the progress.

    Raises:
        OptionError: there are to be less than one copy, or the policy mixes labels or has a schedule.
        RunError: something else stands at `out`.
        DataError: the disk has no room.
    """
    _check_options(policy, copies)
    train = source.parts["train"]
    total = len(train) * copies
    _check_room(source, copies, out)
    _begin(out, _about(source, kind, policy, copies, seed))
    begun = time.perf_counter()
    parts = list(_parts(len(train), copies))
    done = _keep_whole_parts(out / MANIFEST, parts)
    waiting = [(i, rows, copy) for i, (rows, copy) in enumerate(parts) if i not in done]
    made = sum(len(rows) for i, (rows, _) in enumerate(parts) if i in done)
    if kind != "npz":
        _copy_originals(source, kind, out)
    with ThreadPoolExecutor(workers) as pool:
        work = [
            pool.submit(_make_part, source, policy, out, kind, i, rows, copy, derive_seed(seed, "expand", i))
            for i, rows, copy in waiting
        ]
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
    _finish(source, kind, out, len(parts))
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Expansion(len(train), total, time.perf_counter() - begun, size)


def _check_options(policy: Policy, copies: int) -> None:
    if copies < 1:
        raise OptionError(f"--copies {copies} must be at least 1")
    if policy.mixing or policy.schedule:
        what = "mixes samples and labels" if policy.mixing else "has a schedule"
        raise OptionError(f"policy {policy.name!r} {what}, which single files cannot hold; use it in training instead")


def _about(source: Source, kind: str, policy: Policy, copies: int, seed: int) -> Facts:
    """What an expansion is of, and the folders of classes whose names no folder can have."""
    about = {
        "policy": policy.fingerprint(),
        "copies": copies,
        "seed": seed,
        "format": kind,
        "images": len(source.parts["train"]),
        "data": _digest(source),
    }
    other_names = renamed(source.classes) if kind != "npz" else {}
    return {**about, "renamed": other_names} if other_names else about


def remake(source: Source, policy: Policy, seed: int, copies: int, part: int) -> np.ndarray:
    """The copies of a part, uint8 ``[n, C, H, W]``, as the expansion with `seed` made them."""
    rows, _ = list(_parts(len(source.parts["train"]), copies))[part]
    return _augment(source.parts["train"], policy, rows, derive_seed(seed, "expand", part))


def _parts(inputs: int, copies: int) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of the training part, and which of their copies."""
    for copy in range(copies):
        for start in range(0, inputs, _PART):
            yield np.arange(start, min(inputs, start + _PART)), copy


def _augment(train: Part, policy: Policy, rows: np.ndarray, seed: int) -> np.ndarray:
    plan = draw_plan(policy, len(rows), torch.Generator().manual_seed(seed))
    return apply_plan(plan, torch.from_numpy(train.inputs.take(rows)), check=False).numpy()


def _make_part(
    source: Source, policy: Policy, out: Path, kind: str, number: int, rows: np.ndarray, copy: int, seed: int
) -> list[_Made]:
    train = source.parts["train"]
    inputs = _augment(train, policy, rows, seed)
    if kind == "npz":
        path = out / f"part-{number:06}.npy"
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            np.save(file, inputs)
        unfinished.replace(path)
        return [_Made(path.name, train.names[row], row, copy, number, seed) for row in rows.tolist()]
    lines = []
    for sample, row in zip(inputs, rows.tolist(), strict=True):
        path = _class_folder(source, out, "train", train.labels[row]) / f"{row:07}{COPY}{copy + 1}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        as_picture(sample).save(path)
        lines.append(_Made(str(path.relative_to(out)), train.names[row], row, copy, number, seed))
    return lines


def _class_folder(source: Source, out: Path, split: str, label: int) -> Path:
    return out / split / safe_name(source.classes[label])


def _copy_originals(source: Source, kind: str, out: Path) -> None:
    """Every original under its role and class; a CSV beside them, where that is the format.

    Those that are stored as their copies are (gray or color of 8 bits) are taken byte for byte, others as PNG files of
    what was read of them, so that a loader finds one kind of sample.
    """
    names = {"train": "train", "validation": "val", "test": "test"}
    listed = []
    for role, part in source.parts.items():
        assert isinstance(part.inputs, FileImages)
        work = []
        for row, (path, label) in enumerate(zip(map(Path, part.inputs.paths), part.labels, strict=True)):
            stem = _class_folder(source, out, names[role], label) / f"{row:07}"
            work.append((path, stem, part.inputs.target))
        with ThreadPoolExecutor(DECODERS) as pool:
            targets = list(pool.map(lambda task: _copy(*task), work))
        for row, (target, label) in enumerate(zip(targets, part.labels, strict=True)):
            listed.append((str(target.relative_to(out)), source.classes[label], names[role], _group(part, row)))
    if kind == "csv":
        write_whole(out / "originals.json", json.dumps(listed))


def _copy(path: Path, stem: Path, target: Shape) -> Path:
    """The file that an original became: `stem` with an ending."""
    ending, header = path.suffix.lower(), read_header(path)
    if ending in image_endings() and header.is_stored_as_read(target.channels):
        copied = stem.with_suffix(ending)
        if not copied.is_file() or copied.stat().st_size != path.stat().st_size:
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
        return copied
    copied = stem.with_suffix(".png")
    if not copied.is_file():
        copied.parent.mkdir(parents=True, exist_ok=True)
        unfinished = copied.with_suffix(".unfinished")
        as_picture(decode(path, replace(target, resized=False))).save(unfinished, "PNG")
        unfinished.replace(copied)
    return copied


def _group(part: Part, row: int) -> str:
    """What a sample and its copies must not be parted from: its group, or else itself."""
    return part.names[row] if part.groups is None else str(part.groups[row])


def _finish(source: Source, kind: str, out: Path, parts: int) -> None:
    """What can be written only when all copies are there."""
    if kind == "csv":
        _write_csv(source, out)
    if kind == "npz":
        _write_npz(source, out, parts)


def _write_csv(source: Source, out: Path) -> None:
    """The manifest that `autoaug` reads: originals, then copies; a copy is of the group of its original."""
    train = source.parts["train"]
    rows = list(read_record(out / "originals.json", _Originals, RunError, cure=_CURE).root)
    rows += [
        (line.file, source.classes[train.labels[line.row]], "train", _group(train, line.row))
        for line in _lines(out / MANIFEST)
    ]
    unfinished = out / ".data.csv.unfinished"
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    unfinished.replace(out / "data.csv")
    (out / "originals.json").unlink()


def _write_npz(source: Source, out: Path, parts: int) -> None:
    """``data.npz`` with the originals before their copies; the parts go when it stands."""
    arrays: dict[str, np.ndarray] = {"class_names": np.array(source.classes)}
    for role, part in source.parts.items():
        arrays[f"x_{KEYS[role]}"] = _channels_last(part.inputs.take(np.arange(len(part))))
        arrays[f"y_{KEYS[role]}"] = part.labels
        arrays[f"g_{KEYS[role]}"] = np.array([_group(part, row) for row in range(len(part))])
    paths = [out / f"part-{number:06}.npy" for number in range(parts)]
    rows = np.array([line.row for line in sorted(_lines(out / MANIFEST), key=lambda line: line.part)])
    copies = np.concatenate([np.load(path, allow_pickle=False) for path in paths])
    arrays["x_train"] = np.concatenate([arrays["x_train"], _channels_last(copies)])
    for key in ("y_train", "g_train"):
        arrays[key] = np.concatenate([arrays[key], arrays[key][rows]])
    unfinished = out / ".data.npz.unfinished"
    with unfinished.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    unfinished.replace(out / "data.npz")
    for path in paths:
        path.unlink()


def _channels_last(inputs: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))


def _keep_whole_parts(path: Path, parts: list[tuple[np.ndarray, int]]) -> set[int]:
    """The parts whose lines are all in the manifest; what an interruption left of others is taken out."""
    lines = _lines(path)
    rows: dict[int, list[int]] = defaultdict(list)
    for line in lines:
        rows[line.part].append(line.row)
    whole = {part for part, made in rows.items() if part < len(parts) and made == parts[part][0].tolist()}
    kept = "".join(json.dumps(asdict(line)) + "\n" for line in lines if line.part in whole)
    if path.is_file():
        write_whole(path, kept)
    return whole


def _lines(path: Path) -> list[_Made]:
    """The lines of the manifest that are whole."""
    return read_lines(path, _LINE, RunError)


def _digest(source: Source) -> str:
    """A fingerprint of the names and labels of the data; what they look like is not read."""
    digest = hashlib.sha256(json.dumps(source.classes).encode())
    for role, part in source.parts.items():
        names = [Path(name).name for name in part.names]
        digest.update(json.dumps([role, names, part.labels.tolist()]).encode())
    return digest.hexdigest()[:12]


def _begin(out: Path, about: Facts) -> None:
    path = out / EXPANSION
    if path.is_file():
        if differing := changes(read_record(path, _Begun, RunError, cure=_CURE).root, about):
            raise RunError(f"{out} holds another expansion ({differing}); name another folder with --out")
        if (out / "data.npz").is_file() or (out / "data.csv").is_file():
            raise RunError(f"{out} holds this expansion already, whole")
        return
    if out.exists() and (not out.is_dir() or any(path.name != LOCK for path in out.iterdir())):
        raise RunError(f"{out} holds something else; name an empty folder, or a new one, with --out")
    write_whole(path, json.dumps(about))


def _check_room(source: Source, copies: int, out: Path) -> None:
    """Raise `DataError` where the disk has no room for all of it: looked at before anything is written."""
    count: dict[Role, int] = {role: len(part) for role, part in source.parts.items()}
    pixels = int(np.prod(source.parts["train"].inputs.shape))
    needed = int(_ROOM * pixels * (sum(count.values()) + 2 * copies * count["train"]))
    folder = out.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"{out}: {copies} copies of {count['train']} samples may take {needed / 2**30:.1f} GiB, the disk has "
            f"{free / 2**30:.1f}; make fewer copies or name another disk with --out"
        )
