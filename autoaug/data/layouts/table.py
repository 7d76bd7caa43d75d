"""Tables with the samples themselves in a column: CSV, TSV, JSON Lines or Parquet, as one file or as a folder of files
whose names begin with ``train``, ``validation`` or ``test``; and ``hf:NAME``. A column ``labels`` may have several
labels per sample, joined by semicolons or as lists, and a column ``number`` has what a regression predicts.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoaug.data.labels import Kind, label_text
from autoaug.data.layouts.encoded import role_in
from autoaug.data.layouts.folder import EXPANDED, EXPANSION
from autoaug.data.layouts.heads import columns_of, flat_cells
from autoaug.data.layouts.manifest import LABEL_COLUMNS, check_number, joined_labels
from autoaug.data.layouts.parquet import LABELS, shards
from autoaug.data.layouts.reading import reading
from autoaug.data.layouts.separated import separated_rows
from autoaug.data.source import ROLE_NAMES, Role
from autoaug.errors import DataError, UnknownName, first_line
from autoaug.utils.files import read_text
from autoaug.utils.quantities import counted

ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
#: In a table that `autoaug expand` writes, the column with the number of the copy, 0 for originals.
COPY = "copy"
_MOST_BYTES = 2**32
_SPLIT, _GROUP = "split", "group"
#: Usual names of columns of names and numbers of rows; pandas writes its index without a name.
IDS = ("id", "index", "")
_SEVERAL, _NUMBER = LABEL_COLUMNS["multi-label"], LABEL_COLUMNS["regression"]
_LABELS = (*LABELS, "category", "sentiment", "topic", "intent", "标签", "类别", "情感", _NUMBER)
#: The most rows from which columns without known names are told apart.
_LOOKED_AT = 1000

#: A row of a table: the name of the row in messages, and its cells by column.
_Row = tuple[str, Mapping[str, Any]]


class Columns(NamedTuple):
    """Usual names of the columns in lower case, the most telling first: of samples, of labels, and of what may be
    beside a sample. If no column has one of the first, it is the one with the longest texts; of the second, with the
    fewest different values.
    """

    samples: Sequence[str]
    labels: Sequence[str] = _LABELS
    beside: Sequence[str] = ()


@dataclass(frozen=True)
class Row:
    """One sample of a table: its cell, label and role, its name in messages, what is beside it, and whether it is an
    augmented copy made by `autoaug expand`.
    """

    where: str
    cell: str
    label: str
    role: Role
    group: str | None = None
    beside: str = ""
    is_copy: bool = False


@dataclass(frozen=True)
class Table:
    """The samples of a table; see `autoaug.data.source.Source` for the rest."""

    name: str
    rows: tuple[Row, ...]
    left_out: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = field(default=())
    kind: Kind = "classification"


def table_files(data: str) -> list[Path]:
    """The files of a table: the path itself, or the files of that kind in a folder; none if it is no table. Of what was
    expanded, it is the table that has copies in it; a list of other files is none.
    """
    path = Path(data)
    if path.is_dir() and (path / EXPANSION).is_file():
        table = path / EXPANDED
        return [table] if table.is_file() and COPY in columns_of(table) else []
    if path.is_dir():
        return [file for ending in ENDINGS for file in shards(path, ending)]
    return [path] if path.suffix.lower() in ENDINGS and path.is_file() else []


def table_columns(data: str) -> list[str]:
    """The names of the columns with text, of a file, a folder or ``hf:NAME``; none if it is no table."""
    if files := table_files(data):
        return columns_of(files[0])
    if not data.startswith("hf:"):
        return []
    parts, _ = _of_huggingface(data)
    return _names_in([row for rows in parts.values() for row in itertools.islice(rows, 1)])


def read_table(data: str, names: Columns) -> Table:
    """Read the samples, which are text in a column.

    Args:
        data: the path, or ``hf:NAME``.
        names: of the columns.

    Raises:
        DataError: a file cannot be read, a column is missing, or a split is unknown.
    """
    files = table_files(data)
    unlabeled: tuple[str, ...] = ()
    parts: Mapping[str, Iterator[_Row]] = {file.name: table_rows(file) for file in files}
    if data.startswith("hf:"):
        parts, unlabeled = _of_huggingface(data)
    given = {part: list(rows) for part, rows in parts.items()}
    if not any(given.values()):
        raise DataError(f"{data}: there are no rows in it; expected a header line and one line per sample")
    every = [row for rows in given.values() for row in rows]
    copy = COPY if any((file.parent / EXPANSION).is_file() for file in files) else None
    sample, label, is_guess = _columns(data, every, names, copy)
    there = _names_in(every)
    extra = [name for name in there if name.lower() in names.beside]
    split, grouped = (next((name for name in there if name.lower() == word), word) for word in (_SPLIT, _GROUP))
    kind = _kind(label, every, copy is not None) if names.labels is _LABELS else "classification"
    rows, unreadable = [], []
    for part, of_part in given.items():
        for where, cells in of_part:
            cell, value = cells.get(sample), cells.get(label)
            has_label = kind == "multi-label" or (value is not None and str(value).strip())
            if not isinstance(cell, str) or not cell.strip() or not has_label:
                unreadable.append(f"{where}: {_why_unreadable(cell, sample, label)}")
                continue
            group = str(cells[grouped]).strip() if cells.get(grouped) is not None else None
            text = _label(kind, value, where)
            beside = str(next(filter(None, map(cells.get, extra)), ""))
            is_copy = copy is not None and str(cells.get(copy, "0")) != "0"
            rows.append(Row(where, cell, text, _role(where, part, cells.get(split)), group or None, beside, is_copy))
    for role in ("train", *dict.fromkeys(row.role for row in rows)):
        if not any(row.role == role for row in rows):
            first = f"; the first: {unreadable[0]}" if unreadable else ""
            raise DataError(f"{data}: there is no training sample in {counted(len(every), 'row')}{first}")
    used = {sample, label, copy, *extra, split, grouped}
    left_out = (*(f"column {name!r}" for name in there if name not in used), *unlabeled)
    are_classes = names.labels is _LABELS and kind == "classification"
    joined = joined_labels(label, [row.label for row in rows]) if are_classes else ()
    assumed = (*(_guessed(data, sample, label, names, rows) if is_guess else ()), *joined)
    return Table(data, tuple(rows), left_out, assumed, tuple(unreadable), kind)


def _guessed(data: str, sample: str, label: str, names: Columns, rows: Sequence[Row]) -> Iterator[str]:
    """What is said where the columns are told by what is in them; a table without a head has a label in its place."""
    yield (
        f"{data}: the samples are taken from the column {sample!r} and the labels from {label!r}; rename the columns "
        f"to {names.samples[0]} and label if others are meant"
    )
    if any(row.label == label for row in rows):
        yield (
            f"{data}: {label!r} is a label, and the name of a column; if the first line is a sample, write a line that "
            "names the columns above it"
        )


def _kind(column: str, rows: Sequence[_Row], is_expanded: bool) -> Kind:
    """What is predicted, by the name of the column of labels and what is in it. In what `autoaug expand` writes, the
    name alone tells: lists of one label each are no lists any more.
    """
    cells = (row.get(column) for _, row in rows)
    if column.lower() == _SEVERAL and (is_expanded or any(isinstance(c, list) or ";" in str(c) for c in cells)):
        return "multi-label"
    return "regression" if column.lower() == _NUMBER else "classification"


def _label(kind: Kind, value: Any, where: str) -> str:
    """A label as text; see `Listing.kind`."""
    if kind == "multi-label":
        several = value if isinstance(value, list) else [] if value is None else [value]
        return ";".join(label_text(one, None, where).strip() for one in several)
    if kind == "regression":
        check_number(str(value), where)
        return str(value).strip().lower()
    return label_text(value, None, where).strip()


def marked_copies(rows: Sequence[Any]) -> np.ndarray | None:
    """Whether each row is an augmented copy, bool ``[n]``; None if none is."""
    copies = np.array([row.is_copy for row in rows], dtype=bool)
    return copies if copies.any() else None


def _role(where: str, part: str, split: Any) -> Role:
    """The role that a cell names, or else that of the part."""
    if split is None or not str(split).strip():
        return role_in(part)
    name = str(split).strip().lower()
    if name not in ROLE_NAMES:
        raise DataError(f"{where}: {UnknownName('split', str(split), ROLE_NAMES)}")
    return ROLE_NAMES[name]


def _columns(data: str, rows: Sequence[_Row], names: Columns, copy: str | None) -> tuple[str, str, bool]:
    """The columns of the samples and of the labels: by name, or else by what is in them. And whether others may be
    meant; `copy` is none of them.
    """
    there = _names_in(rows)
    lower = {name.lower(): name for name in there}
    sample = next((lower[name] for name in names.samples if name in lower), None)
    label = next((lower[name] for name in names.labels if name in lower), None)
    looked_at = [cells for _, cells in rows[:_LOOKED_AT]]
    known = (_SPLIT, _GROUP, *IDS, *names.beside, copy)
    others = [name for name in there if name.lower() not in known and name not in (sample, label)]
    is_number = label is not None and label.lower() == _NUMBER
    is_guess = sample is None or label is None or (is_number and bool(others))
    if is_number and len(others) > (sample is None) and _counts_up([cells.get(label or "") for cells in looked_at]):
        label = None  # the numbers of the rows
    if sample is None and others:
        lengths = {name: sum(len(str(cells.get(name) or "")) for cells in looked_at) for name in others}
        sample = max(lengths, key=lambda name: lengths[name])
        others.remove(sample)
    if label is None and others:
        kinds = {name: len({str(cells.get(name)) for cells in looked_at}) for name in others}
        label = min(kinds, key=lambda name: (kinds[name] < 2, kinds[name]))
    if sample is None or label is None:
        lacks = f"of samples ({names.samples[0]})" if sample is None else "of labels (label)"
        raise DataError(f"{data}: there is no column {lacks}; it has {', '.join(there) or 'none'}")
    return sample, label, is_guess


def _names_in(rows: Sequence[_Row]) -> list[str]:
    """The columns; a row of JSON Lines may lack some."""
    return list(dict.fromkeys(name for _, cells in rows[:_LOOKED_AT] for name in cells))


def _why_unreadable(cell: Any, sample: str, label: str) -> str:
    """Why a row is no sample: what is in the column `sample`, or its `label` is missing."""
    if cell is not None and not isinstance(cell, str):
        return f"{sample} is {str(cell)[:40]}, which is no text"
    return f"there is no {label if cell and cell.strip() else sample}"


def _counts_up(cells: Sequence[Any]) -> bool:
    """Whether the cells are whole numbers that grow from row to row, by less than 2 in the mean: as those that name
    rows do, of which some may be left out.
    """
    try:
        numbers = [int(str(cell)) for cell in cells]
    except ValueError:
        return False
    grow = all(before < after for before, after in itertools.pairwise(numbers))
    return grow and max(numbers, default=0) - min(numbers, default=0) < 2 * len(numbers)


def table_rows(path: Path) -> Iterator[_Row]:
    """The rows of one file. Raises `DataError` that names the line where it is damaged, or the file."""
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _of_parquet(path)
    return _of_csv(path) if ending in (".csv", ".tsv") else _of_json(path)


def _of_csv(path: Path) -> Iterator[_Row]:
    rows = separated_rows(path, _MOST_BYTES)
    _, head = next(rows, ("", []))
    columns = [name.strip() for name in head]
    if twice := next((name for name in columns if name and columns.count(name) > 1), None):
        raise DataError(f"{path}: two columns are called {twice!r}; rename one")
    yield from ((where, dict(zip(columns, row, strict=True))) for where, row in rows)


def _of_json(path: Path) -> Iterator[_Row]:
    for number, line in enumerate(read_text(path, DataError, _MOST_BYTES).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as fault:
            raise DataError(f"{where}: not JSON ({first_line(fault)})") from None
        if not isinstance(row, dict):
            raise DataError(f'{where}: expected an object such as {{"text": …, "label": …}}, not {line[:40]!r}')
        yield where, flat_cells(row)


def _of_parquet(path: Path) -> Iterator[_Row]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise DataError(f"{path}: Parquet needs pyarrow: pip install 'autoaug[parquet]'") from None
    with reading(path, "a Parquet file"), ParquetFile(path) as file:
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", flat_cells(row)


def _of_huggingface(data: str) -> tuple[Mapping[str, Iterator[_Row]], tuple[str, ...]]:
    """The rows of each split, and in words the splits that are left out."""
    from autoaug.data.layouts.huggingface import load_splits

    def rows_of(split: str, rows: Any) -> Iterator[_Row]:
        names: dict[str, Callable[[int], str]] = {
            name: feature.int2str for name, feature in rows.features.items() if hasattr(feature, "int2str")
        }
        for number, row in enumerate(rows, 1):
            named = {k: names[k](v) if k in names and isinstance(v, int) and v >= 0 else v for k, v in row.items()}
            yield f"{data}, {split} row {number}", flat_cells(named)

    splits, unlabeled = load_splits(data.removeprefix("hf:"))
    return {split: rows_of(split, rows) for split, rows in splits.items()}, unlabeled
