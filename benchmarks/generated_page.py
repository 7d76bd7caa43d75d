"""The page of the benchmark of generated data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autoaug.evaluation.statistics import estimate
from benchmarks.page import Section, Table, write_page

HEAD = ("arm", "test, %", "against", "difference, points", "seeds", "s each")
TABLES = {
    "generators": "The generators",
    "sample_filter": "What the sample filter drops: shares of good samples and of planted faults",
}


def write_generated(path: Path, items: Mapping[str, Any]) -> None:
    """Write tables of the arms and of the generators for each data set."""
    words = "Accuracy on the test split. Differences are paired by seed, with 95 % intervals."
    write_page(path, "What generated data is worth", words, sections(items))


def sections(items: Mapping[str, Any]) -> Iterator[Section]:
    """One section for each data set."""
    for data, measured in items.items():
        arms = measured["arms"]
        tables = [Table("", HEAD, [_row(name, arms) for name in arms if arms[name]["test"]])]
        tables += [_figures(title, measured[key]) for key, title in TABLES.items() if measured.get(key)]
        yield Section(data, [table for table in tables if table.rows])


def _row(name: str, arms: Mapping[str, Any]) -> list[str | float]:
    row = arms[name]
    own, base = row["test"], arms.get(row["against"], {}).get("test", [])
    differences = [100 * (a - b) for a, b in zip(own, base, strict=False)]
    gain = ""
    if differences and name != row["against"]:
        gain = f"{np.mean(differences):+.2f}"
        if len(differences) > 1:
            low, high = estimate(differences, 0.01).ci95
            gain += f" [{low:+.2f}, {high:+.2f}]"
    return [name, f"{100 * np.mean(own):.2f}", row["against"], gain, str(len(own)), f"{np.mean(row['seconds']):.1f}"]


def _figures(title: str, by_generator: Mapping[str, Mapping[str, float]]) -> Table:
    """Figures of each generator; a generator may lack some."""
    names = list(dict.fromkeys(name for figures in by_generator.values() for name in figures))
    rows = [
        [generator, *(f"{figures[name]:.3g}" if name in figures else "" for name in names)]
        for generator, figures in by_generator.items()
    ]
    return Table(title, ["generator", *names], rows)
