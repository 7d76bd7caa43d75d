"""A CSV or TSV manifest with the columns ``path,label[,split[,group]]``; paths are relative to its folder, which may be
one that `autoaug expand` made. Instead of ``label``, a column ``labels`` has several labels per sample, joined by
semicolons, a column ``number`` has what a regression predicts, and a column ``text`` what is said or written in a
sample.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoaug.data.labels import DECIMAL, Kind
from autoaug.data.layouts.folder import EXPANSION, is_copy
from autoaug.data.layouts.listing import OF_SAMPLES, Item, Listing
from autoaug.data.layouts.separated import separated_rows
from autoaug.data.source import ROLE_NAMES
from autoaug.data.texts import decode_texts, plain_text
from autoaug.errors import DataError, UnknownName, printable

#: The columns with labels, by their kind; a manifest has one of them.
LABEL_COLUMNS: dict[Kind, str] = {
    "classification": "label",
    "multi-label": "labels",
    "regression": "number",
    "transcription": "text",
}
_COLUMNS = ("path", *LABEL_COLUMNS.values(), "split", "group")
#: Enough for millions of lines; an endless file is not read forever.
_MOST_BYTES = 2**28
#: The number of rows that show what the columns are that have other names.
_LOOKED_AT = 100
#: What is written where a number is missing.
_MISSING = ("", "-", "?", "na", "n/a", "nan", "none", "null")
_LARGEST = float(np.finfo(np.float32).max)


def list_manifest(path: Path) -> Listing:
    """Read the manifest; raises `DataError` that names the invalid line."""
    rows = separated_rows(path, _MOST_BYTES)
    where, head = next(rows, ("", []))
    first = list(itertools.islice(rows, _LOOKED_AT))
    columns = _columns(path, where, head, [row for _, row in first]) if head else []
    items = [_item(path, where, columns, row) for where, row in itertools.chain(first, rows)]
    if (path.parent / EXPANSION).is_file():
        items = [replace(item, is_augmented=is_copy(item.path)) for item in items]
    if not items:
        raise DataError(
            f"{path}: the manifest lists no samples; expected a header line path,label and one line per sample"
        )
    if not any(os.path.exists(item.path) for item in items):
        raise DataError(
            f"{path}: none of the {len(items)} listed files exists; the first: {printable(str(items[0].path))} "
            "(relative paths start at the folder of the manifest)"
        )
    kind = next(kind for kind, name in LABEL_COLUMNS.items() if name in columns)
    assumed = joined_labels(LABEL_COLUMNS[kind], [item.label for item in items]) if kind == "classification" else ()
    return Listing(str(path), tuple(items), assumed=assumed, kind=kind)


def joined_labels(column: str, classes: Sequence[str]) -> tuple[str, ...]:
    """What is assumed of classes that look like several labels each, as text; nothing if none does."""
    joined = next((label for label in classes if ";" in label), None)
    if joined is None:
        return ()
    several = LABEL_COLUMNS["multi-label"]
    return (f"{joined!r} is taken for one class; rename the column {column!r} to {several} if it is several labels",)


def cell_of(label: np.ndarray, classes: Sequence[str]) -> str:
    """The label of a sample as `list_manifest` reads it."""
    if label.dtype == bool:
        return ";".join(name for name, has in zip(classes, label.tolist(), strict=True) if has)
    if label.dtype.kind == "f":
        return str(label[0])
    return classes[int(label)] if label.ndim == 0 else decode_texts(label[None])[0]


def _columns(manifest: Path, where: str, head: list[str], first: list[list[str]]) -> list[str]:
    """The column names in the `head`; the `first` rows help to say which ones are meant if they have other names."""
    names = [name.strip().lower() for name in head]
    labels = [name for name in names if name in LABEL_COLUMNS.values()]
    if "path" in names and len(labels) == 1 and not set(names) - set(_COLUMNS) and len(names) == len(set(names)):
        return names
    raise DataError(
        f"{where}: columns must be path,label[,split[,group]] (instead of label also labels, joined by semicolons, "
        f"number, or text), not {','.join(head)}{_cure(manifest, head, first)}"
    )


def _cure(manifest: Path, head: list[str], first: list[list[str]]) -> str:
    """What to do about a head with other columns."""
    cells = dict(zip(head, zip(*first, strict=True), strict=True)) if first else {}
    others = [name for name in head if name.strip().lower() not in _COLUMNS]
    # Not `Path.is_file`: a text is too long.
    files = [name for name, own in cells.items() if os.path.isfile(manifest.parent / own[0])]
    if not files:
        return f"; no column has files that are there (relative paths start at the folder of the manifest){OF_SAMPLES}"
    renamed = [f"{files[0]!r} to path"] if files[0] in others else []
    others = [name for name in others if name != files[0]]
    has_label = any(name.strip().lower() in LABEL_COLUMNS.values() for name in head)
    removed = ", ".join(map(repr, others))
    if not has_label and len(others) == 1:
        renamed, removed = [*renamed, f"{others[0]!r} to {_label_column(cells[others[0]])}"], ""
    elif not has_label and others:
        renamed, removed = [*renamed, f"the one of {removed} with the labels to label"], "the others"
    cures = [f"rename {' and '.join(renamed)}"] if renamed else []
    cures += [f"remove {removed}"] if removed else []
    return f"; {', '.join(cures)}" if cures else ""


def _label_column(cells: Sequence[str]) -> str:
    """The name of a column with these labels."""
    filled = [cell.strip() for cell in cells if cell.strip().lower() not in _MISSING]
    if 2 * len({cell for cell in filled if len(cell.split()) > 2}) > len(filled):
        return LABEL_COLUMNS["transcription"]
    if sum(";" in cell for cell in filled) > len(filled) / 10:
        return LABEL_COLUMNS["multi-label"]
    are_measured = all(map(DECIMAL.fullmatch, filled)) and any(float(cell) % 1 for cell in filled)
    return LABEL_COLUMNS["regression" if are_measured else "classification"]


def _item(manifest: Path, where: str, columns: list[str], row: list[str]) -> Item:
    values = dict(zip(columns, row, strict=True))
    file, split = values["path"], values.get("split", "").strip() or "train"
    name = next(name for name in columns if name in LABEL_COLUMNS.values())
    label = values[name].strip()
    if name == "number":
        check_number(label, where)
    if name == "text":
        label = plain_text(label)
    if not file.strip() or not (label or name == "labels"):
        raise DataError(f"{where}: path and {name} must not be empty")
    if split.lower() not in ROLE_NAMES:
        raise DataError(f"{where}: {UnknownName('split', split, ROLE_NAMES)}")
    return Item(manifest.parent / file, label, ROLE_NAMES[split.lower()], values.get("group", "").strip() or None)


def check_number(text: str, where: str) -> None:
    """Raise `DataError` if the text is not a finite number of single precision, as numbers are trained on."""
    with suppress(ValueError):
        if abs(float(text)) <= _LARGEST:
            return
    if text.lower() in _MISSING:
        raise DataError(f"{where}: the number is missing ({text!r}); fill it in, or remove the line")
    cure = "; write it with a decimal point, and no other sign" if "," in text else ""
    raise DataError(f"{where}: number {text!r} is not a finite number from {-_LARGEST:.1e} to {_LARGEST:.1e}{cure}")
