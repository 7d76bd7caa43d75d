"""What the command lines of the benchmarks share."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path


def options_of(doc: str | None, name: str) -> argparse.ArgumentParser:
    """A parser that shows a module's text as its help, with ``--out``: by default ``reports/NAME.json``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(f"reports/{name}.json"), help="what is in it is not run again")
    return parser


def names(text: str, known: Collection[str], what: str) -> list[str]:
    """Names given with commas between; ends the program where one is not known."""
    given = text.split(",")
    if unknown := [name for name in given if name not in known]:
        raise SystemExit(f"error: there is no {what} {', '.join(map(repr, unknown))}; there are: {', '.join(known)}")
    return given
