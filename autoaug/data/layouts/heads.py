"""The names of columns, from the head of a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autoaug.data.layouts.separated import first_rows

#: Bytes of the first line at the most.
_HEAD = 2**26


def columns_of(path: Path) -> list[str]:
    """The names of the columns with text in a file of a table, from its head alone; those of JSON Lines are the keys of
    the first line. None where a column has encoded samples. Raises errors of many kinds for damaged files.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        from pyarrow.parquet import read_schema

        kinds = {name: str(kind) for name, kind in zip(*_names_and_types(read_schema(path)), strict=True)}
        encoded = any(kind.startswith(("struct", "binary", "large_binary")) for kind in kinds.values())
        return [] if encoded else [name for name, kind in kinds.items() if kind.endswith("string")]
    if ending in (".jsonl", ".ndjson"):
        with path.open("rb") as file:
            return list(json.loads(file.readline(_HEAD).decode("utf-8-sig", errors="replace")))
    return [name.strip() for row in first_rows(path, 1) for name in row]


def _names_and_types(schema: Any) -> tuple[list[str], list[Any]]:
    return schema.names, schema.types
