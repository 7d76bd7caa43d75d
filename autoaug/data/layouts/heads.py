"""The names of columns, from the head of a table, and what is in its cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from autoaug.data.layouts.separated import first_rows

#: Bytes of the first line at the most, and of the lines behind it.
_HEAD, _MORE = 2**26, 2**16


def columns_of(path: Path) -> list[str]:
    """The names of the columns with text in a file of a table, from its head alone; those of JSON Lines are the keys of
    the first lines, of which some may lack a few. None where a column has encoded samples. Raises errors of many kinds
    for damaged files.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        return _of_parquet(path)
    if ending in (".jsonl", ".ndjson"):
        return _of_json(path)
    return [name.strip() for row in first_rows(path, 1) for name in row]


def flat_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row by column. A record of texts, such as ``{"en": …, "fr": …}`` in a column ``a``, is the columns
    ``a.en`` and ``a.fr``; bytes that are UTF-8 are text.
    """
    cells: dict[str, Any] = {}
    for name, cell in row.items():
        if isinstance(cell, dict) and cell and all(text is None or isinstance(text, str) for text in cell.values()):
            cells |= {f"{name}.{key}": text for key, text in cell.items()}
        else:
            cells[name] = decoded(cell)
    return cells


def decoded(cell: Any) -> Any:
    """Bytes as text, if they are UTF-8; else the cell itself."""
    if isinstance(cell, bytes):
        with suppress(UnicodeDecodeError):
            return cell.decode()
    return cell


def _of_json(path: Path) -> list[str]:
    """Lines that are no objects are left out: the reader of the table tells what is wrong with them."""
    names: dict[str, Any] = {}
    with path.open("rb") as file:
        for line in (file.readline(_HEAD), *file.readlines(_MORE)):
            with suppress(ValueError, RecursionError):
                row = json.loads(line.decode("utf-8-sig", errors="replace"))
                names |= flat_cells(row) if isinstance(row, dict) else {}
    return list(names)


def _of_parquet(path: Path) -> list[str]:
    """Whether bytes are text is told by those of the first row."""
    from pyarrow.parquet import ParquetFile

    names: list[str] = []
    # Otherwise the columns of all rows in its group are read, which may be gigabytes of encoded samples.
    with ParquetFile(path, memory_map=True) as file:
        for name, kind in zip(*_names_and_types(file.schema_arrow), strict=True):
            words = str(kind)
            if words.startswith("struct"):
                if not all(str(inner.type).endswith("string") for inner in kind):
                    return []
                names += [f"{name}.{inner.name}" for inner in kind]
            elif words.startswith(("binary", "large_binary")):
                if not isinstance(decoded(_first_cell(file, name)), str):
                    return []
                names.append(name)
            elif words.endswith("string"):
                names.append(name)
    return names


def _first_cell(file: Any, name: str) -> Any:
    """The first cell of a column of a Parquet file; None if there are no rows."""
    return next((batch.to_pylist()[0][name] for batch in file.iter_batches(1, columns=[name])), None)


def _names_and_types(schema: Any) -> tuple[list[str], list[Any]]:
    return schema.names, schema.types
