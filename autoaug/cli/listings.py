"""Commands that list operators, strategies, and the schemas of files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from autoaug.utils.terminal import at_work, echo


def operators(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
    gallery: Annotated[
        Path | None, typer.Option(help="Write an HTML page that shows each at five magnitudes on example samples.")
    ] = None,
) -> None:
    """List the operators that policies are made of."""
    from autoaug import api

    if gallery is not None:
        with at_work("drawing the operators"):
            page = api.operator_gallery(gallery)
        echo(page)
        return
    with at_work("listing the operators"):
        rows = api.operators()
    if as_json:
        typer.echo(json.dumps([vars(row) for row in rows], indent=2))
        return
    table = Table("operator", "modality", "family", "values", "unit", box=None, pad_edge=False)
    for row in rows:
        values = "on or off" if row.unit == "switch" else f"{row.range[0]:g} … {row.range[1]:g}"
        table.add_row(row.name, row.modality, row.family, values, row.unit)
    Console(width=None if sys.stdout.isatty() else 140).print(table, highlight=False)


def strategies() -> None:
    """List the search strategies, and when to use which."""
    from autoaug import api

    table = Table("strategy", "when to use it", "objectives", box=None, pad_edge=False)
    with at_work("listing the strategies"):
        rows = api.strategies()
    for row in rows:
        table.add_row(row.name, row.summary, ", ".join(row.objectives))
    Console(width=None if sys.stdout.isatty() else 140).print(table, highlight=False)


def schema(of: Annotated[str, typer.Argument(help="policy or space.")]) -> None:
    """Print the JSON Schema of a policy file or a search space file, for editors that complete and check."""
    from autoaug import api

    typer.echo(json.dumps(api.schema(of), indent=2))
