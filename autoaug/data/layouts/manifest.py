"""A CSV manifest with the columns ``path,label[,split[,group]]``, or a TSV one, which is separated by tabs; paths are
relative to its folder, which may be one that `autoaug expand` made. Instead of ``label``, a column ``labels`` has
several labels per sample, joined by semicolons, a column ``number`` has what a regression predicts, and a column
``text`` what is said or written in a sample.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoaug.data.labels import Kind
from autoaug.data.layouts.folder import EXPANSION, is_copy
from autoaug.data.layouts.listing import OF_SAMPLES, Item, Listing
from autoaug.data.source import ROLE_NAMES
from autoaug.data.texts import decode_texts, plain_text
from autoaug.errors import DataError, UnknownName
from autoaug.utils.files import read_text

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
_LARGEST = float(np.finfo(np.float32).max)


def list_manifest(path: Path) -> Listing:
    """Read the manifest; raises `DataError` that names the invalid line."""
    text = read_text(path, DataError, _MOST_BYTES)
    if "\0" in text:
        raise DataError(f"{path}: not a CSV file (it has NUL bytes; remove them)")
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    items: list[Item] = []
    columns: list[str] = []
    try:
        for row in lines:
            if not columns:
                columns = _columns(path, row, lines.line_num)
            elif row:
                items.append(_item(path, lines.line_num, columns, row))
    except csv.Error as fault:
        raise DataError(f"{path}, line {lines.line_num}: not a CSV file ({fault})") from None
    if (path.parent / EXPANSION).is_file():
        items = [replace(item, is_augmented=is_copy(item.path)) for item in items]
    if not items:
        raise DataError(
            f"{path}: the manifest lists no samples; expected a header line path,label and one line per sample"
        )
    return Listing(str(path), tuple(items), kind=next(kind for kind, name in LABEL_COLUMNS.items() if name in columns))


def cell_of(label: np.ndarray, classes: Sequence[str]) -> str:
    """The label of a sample as `list_manifest` reads it."""
    if label.dtype == bool:
        return ";".join(name for name, has in zip(classes, label.tolist(), strict=True) if has)
    if label.dtype.kind == "f":
        return str(label[0])
    return classes[int(label)] if label.ndim == 0 else decode_texts(label[None])[0]


def _columns(manifest: Path, row: list[str], line: int) -> list[str]:
    """The column names, from the first line that is not empty."""
    names = [name.strip().lower() for name in row]
    if not row:
        return []
    labels = [name for name in names if name in LABEL_COLUMNS.values()]
    if "path" not in names or len(labels) != 1 or set(names) - set(_COLUMNS) or len(names) != len(set(names)):
        separator = next((what for sign, what in ((";", "semicolons"), ("\t", "tabs")) if sign in "".join(row)), None)
        cure = f" (the file is separated by {separator}: save it with commas)" if separator else ""
        raise DataError(
            f"{manifest}, line {line}: columns must be path,label[,split[,group]] (instead of label also "
            f"labels, joined by semicolons, number, or text), not {','.join(row)}{cure or OF_SAMPLES}"
        )
    return names


def _item(manifest: Path, line: int, columns: list[str], row: list[str]) -> Item:
    where = f"{manifest}, line {line}"
    if len(row) != len(columns):
        raise DataError(
            f"{where}: there are {len(row)} values for {len(columns)} columns; put values with a comma in quotes, and "
            "leave none out"
        )
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
    raise DataError(f"{where}: number {text!r} is not a finite number from {-_LARGEST:.1e} to {_LARGEST:.1e}")
