"""Texts as rows of a table; see `autoaug.modalities.base.Tables`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from autoaug.data.layouts.table import Columns, read_table, table_files
from autoaug.errors import printable
from autoaug.modalities.text.loader import COLUMNS
from autoaug.modalities.text.tokens import text_of


def rows(data: str) -> dict[str, Mapping[str, str]] | None:
    """The texts of a table as they are there."""
    if not table_files(data) and not data.startswith("hf:"):
        return None
    return {printable(row.where): {"text": row.cell} for row in read_table(data, Columns(COLUMNS)).rows}


def cells(samples: np.ndarray) -> list[Mapping[str, str]]:
    """Tokens ``[n, L, 3]`` as texts."""
    return [{"text": text_of(sample)} for sample in samples]
