"""What an offline expansion is to make, the checks before it begins, and the facts by which it is known again."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import RootModel

from autoaug.data.inputs import FileInputs, Inputs, MemoryInputs
from autoaug.data.labels import TEXTS, kind_of, require_classes
from autoaug.data.layouts.folder import EXPANDED, EXPANDED_ARRAYS, EXPANSION
from autoaug.data.source import Part, Source
from autoaug.engine.plan import mixing_of
from autoaug.errors import DataError, OptionError, RunError
from autoaug.modalities.base import Loader
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.utils.facts import Facts, changes
from autoaug.utils.files import other_names, write_atomically
from autoaug.utils.json import read_record
from autoaug.utils.locks import LOCK
from autoaug.utils.quantities import counted
from autoaug.utils.seeds import derive_seed

#: The number of copies that are made at once.
_AT_ONCE = 256
#: A file of noise is about as large as its values; a tenth is added for the file format.
_ROOM = 1.1

Format = Literal["folder", "csv", "npz", "table"]
#: The formats in which samples are files of their own.
FILES = ("folder", "csv")
#: What to do about a folder that holds something else.
CURE = "choose another folder with --out, or delete this one"


class ExpandedPart(NamedTuple):
    """A `copy` of some rows of the training samples, whose randomness follows from the `seed`."""

    number: int
    rows: np.ndarray
    copy: int
    seed: int


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

    def parts(self) -> list[ExpandedPart]:
        """What is made at once: each is one copy of a range of training rows."""
        count = len(self.train)
        starts = [(copy, start) for copy in range(self.copies) for start in range(0, count, _AT_ONCE)]
        return [
            ExpandedPart(
                number, np.arange(start, min(count, start + _AT_ONCE)), copy, derive_seed(self.seed, "expand", number)
            )
            for number, (copy, start) in enumerate(starts)
        ]


class _Begun(RootModel[dict[str, Any]]):
    """The facts that an expansion was begun with."""


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


def check_for_files(policy: Policy, modality: str) -> None:
    """Raise `OptionError` if files cannot represent the policy, or it changes nothing."""
    mixes = policy.mixing is not None and mixing_of(modality).mixes_labels
    if mixes or policy.schedule:
        what = "mixes samples and labels" if mixes else "has a schedule"
        raise OptionError(f"policy {policy.name!r} {what}, which files cannot represent; use it in training instead")
    if not policy.changes_samples:
        raise OptionError(f"policy {policy.name!r} changes no sample: its copies would be the originals; name another")


def _check_options(expansion: Expansion) -> None:
    policy, copies = expansion.policy, expansion.copies
    labels = expansion.train.labels
    if expansion.format == "folder":
        require_classes(labels, "a folder with copies")
    if expansion.format == "npz" and kind_of(labels) in TEXTS:
        raise OptionError(f"{expansion.source.name}: an .npz has no texts to predict; give a CSV of paths and texts")
    if expansion.train.augmented is not None:
        raise OptionError(
            f"{expansion.source.name} holds augmented copies already; expand the data that they are of, with more "
            "--copies"
        )
    if copies < 1:
        raise OptionError(f"--copies {copies} must be at least 1")
    check_for_files(policy, expansion.source.modality)
    if policy.mixing is not None and not {"validation", "test"} <= expansion.source.parts.keys():
        raise OptionError(f"policy {policy.name!r} joins samples: the data need validation and test splits")


def _facts(expansion: Expansion) -> Facts:
    """The facts of an expansion, and the folder names of classes whose own names are not valid ones."""
    facts = {
        "policy": expansion.policy.fingerprint(),
        "copies": expansion.copies,
        "seed": expansion.seed,
        "format": expansion.format,
        "samples": len(expansion.train),
        "data": _digest(expansion.source),
        **_contents(expansion.source),
        "resources": dict(get_modality(expansion.source.modality).resources()),
    }
    unsafe = other_names(expansion.source.classes) if expansion.format in FILES else {}
    return {**facts, "renamed": unsafe} if unsafe else facts


def _digest(source: Source) -> str:
    """A fingerprint of the names and labels of the data; the samples are not read."""
    digest = hashlib.sha256(json.dumps(source.classes).encode())
    for role, part in source.parts.items():
        names = [Path(name).name for name in part.names]
        digest.update(json.dumps([role, names, part.labels.tolist()]).encode())
    return digest.hexdigest()[:12]


def _contents(source: Source) -> Facts:
    """A fingerprint of the samples, if all are in memory. It tells how they were read, too, such as which words are
    protected.
    """
    inputs = [part.inputs for part in source.parts.values()]
    if not all(isinstance(one, MemoryInputs) for one in inputs):
        return {}
    digest = hashlib.sha256()
    for one in inputs:
        assert isinstance(one, MemoryInputs)
        digest.update(np.ascontiguousarray(one.array).data)
    return {"contents": digest.hexdigest()[:12]}


def begin(out: Path, facts: Facts) -> None:
    """Note in the folder `out` that these facts, which `checked` gives, are of what will be made there."""
    if not (out / EXPANSION).is_file():
        write_atomically(out / EXPANSION, json.dumps(facts))


def checked(expansion: Expansion, out: Path) -> Facts:
    """What will be made in the folder `out`, which is empty, new, or of the same expansion, begun before.

    Raises:
        OptionError: the number of copies is below 1, the policy mixes labels or has a schedule, or the source already
            has augmented copies.
        RunError: `out` holds something else, or the whole expansion.
        DataError: the disk has too little space.
    """
    _check_options(expansion)
    _check_room(expansion, out)
    path, facts = out / EXPANSION, _facts(expansion)
    if path.is_file():
        if differing := changes(read_record(path, _Begun, RunError, cure=CURE).root, facts):
            raise RunError(f"{out} holds another expansion ({differing}); choose another folder with --out")
        if (out / EXPANDED_ARRAYS).is_file() or (out / EXPANDED).is_file():
            raise RunError(f"{out} already holds this expansion, complete")
    elif out.exists() and (not out.is_dir() or any(path.name != LOCK for path in out.iterdir())):
        raise RunError(f"{out} holds other files; choose an empty or new folder with --out")
    return facts


def _bytes_of(inputs: Inputs, written_as: Format) -> int:
    """How much originals take: files keep their size, which may be far above that of the samples."""
    if written_as in FILES and isinstance(inputs, FileInputs):
        return sum(Path(path).stat().st_size for path in inputs.paths)
    return len(inputs) * _bytes_each(inputs)


def _bytes_each(inputs: Inputs) -> int:
    return math.prod(inputs.shape) * inputs.dtype.itemsize


def _check_room(expansion: Expansion, out: Path) -> None:
    """Raise `DataError`, before anything is written, if the disk has too little space."""
    train, copies = expansion.train, expansion.copies
    originals = sum(_bytes_of(part.inputs, expansion.format) for part in expansion.source.parts.values())
    needed = int(_ROOM * (originals + 2 * copies * len(train) * _bytes_each(train.inputs)))
    folder = out.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        what = f"{counted(copies, 'copy', 'copies')} of {counted(len(train), 'sample')}"
        raise DataError(
            f"{out}: {what} may take {needed / 2**30:.1f} GiB, but the disk has "
            f"{free / 2**30:.1f}; make fewer copies or choose another disk with --out"
        )
