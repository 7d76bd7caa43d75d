"""A CSV manifest with the columns ``path,label[,split[,group]]``; paths are relative to its folder."""

from __future__ import annotations

import csv
from pathlib import Path

from autoaug.data.source import ROLE_NAMES, Source
from autoaug.data.sources.files import Item, open_files
from autoaug.errors import DataError, UnknownName

COLUMNS = ("path", "label", "split", "group")


def open_manifest(path: Path, image_size: int | None) -> Source:
    """Read the manifest; raises `DataError` with the line that breaks a rule."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (csv.Error, UnicodeDecodeError) as fault:
        raise DataError(f"{path}: not a CSV file ({fault})") from None
    if not rows:
        raise DataError(f"{path}: the manifest lists no images; expected a header line path,label and a line an image")
    if not {"path", "label"} <= set(rows[0]) or set(rows[0]) - set(COLUMNS):
        found = ",".join(str(column) for column in rows[0])
        raise DataError(f"{path}, line 1: columns must be path,label[,split[,group]], not {found}")
    return open_files(str(path), [_item(path, line, row) for line, row in enumerate(rows, start=2)], image_size)


def _item(manifest: Path, line: int, row: dict[str, str | None]) -> Item:
    file, label, split = row["path"], row["label"], row.get("split") or "train"
    if not file or not label:
        raise DataError(f"{manifest}, line {line}: path and label must not be empty")
    if split.lower() not in ROLE_NAMES:
        raise DataError(f"{manifest}, line {line}: {UnknownName('split', split, ROLE_NAMES)}")
    return Item(manifest.parent / file, label, ROLE_NAMES[split.lower()], row.get("group") or None)
