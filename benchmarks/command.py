"""Shared parts of the benchmarks' command lines."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from autoaug.pipeline.options import SearchOptions


def options_of(doc: str, name: str) -> argparse.ArgumentParser:
    """A parser with a script's docstring `doc` as help, and the option ``--out``, by default ``reports/NAME.json``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(f"reports/{name}.json"), help="its results are not run again")
    return parser


def names(text: str | None, known: Collection[str], what: str) -> list[str]:
    """Split names at commas, by default all that are known; end the program if one is unknown."""
    given = list(known) if text is None else text.split(",")
    if unknown := [name for name in given if name not in known]:
        raise SystemExit(f"error: there is no {what} {', '.join(map(repr, unknown))}; there are: {', '.join(known)}")
    return given


def search_options(options: argparse.Namespace, data: str, strategy: str, seed: int, **own: Any) -> SearchOptions:
    """A search as a user would start it, with the budget, the seeds and the workers of a benchmark's command line, and
    the benchmark's `own` options.
    """
    return SearchOptions(
        data,
        strategy=strategy,
        budget=options.budget,
        seed=seed,
        seeds=options.seeds,
        max_seeds=options.seeds,
        allow=("leak", "conflict"),
        workers=options.workers,
        **own,
    )
