"""The table that an expansion of a table becomes: originals as they were, then copies, each in the group of its
original.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autoaug.data.labels import TEXTS, kind_of
from autoaug.data.layouts.arrays import KEYS
from autoaug.data.layouts.folder import EXPANDED
from autoaug.data.layouts.manifest import LABEL_COLUMNS, cell_of
from autoaug.data.layouts.table import COPY
from autoaug.data.source import Part, Source
from autoaug.modalities.base import Tables
from autoaug.utils.files import replacing


class Copies(NamedTuple):
    """Copies of training samples: the rows of these, the number of the copy, from 1, and the copies ``[n, …]``."""

    rows: Sequence[int]
    number: int
    samples: np.ndarray


def write_expanded(
    out: Path, source: Source, originals: Mapping[str, Mapping[str, str]], tables: Tables, made: Iterator[Copies]
) -> None:
    """Write ``data.csv`` with the `originals`, which are cells by the names of samples, and the copies."""
    path, train = out / EXPANDED, source.parts["train"]

    def row(cells: Mapping[str, str], part: Part, place: int, split: str, copy: int) -> dict[str, str]:
        label = _label(part.labels[place : place + 1], source.classes)
        return {**cells, **label, "split": split, "group": part.group_of(place), COPY: str(copy)}

    with replacing(path) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
        first = row(originals[train.names[0]], train, 0, KEYS["train"], 0)
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        for role, part in source.parts.items():
            writer.writerows(row(originals[name], part, i, KEYS[role], 0) for i, name in enumerate(part.names))
        for copies in made:
            for place, cells in zip(copies.rows, tables.cells(copies.samples), strict=True):
                writer.writerow(row(cells, train, place, KEYS["train"], copies.number))


def _label(labels: np.ndarray, names: Sequence[str]) -> dict[str, str]:
    """The cell of the label of a sample, ``labels [1, …]``; none where it is in the sample itself."""
    kind = kind_of(labels)
    return {} if kind in TEXTS else {LABEL_COLUMNS[kind]: cell_of(labels[0], names)}
