"""The commands that list what there is: operators, strategies, and the schemas of files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autoaug.utils.terminal import echo


def operators(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
    gallery: Annotated[
        Path | None, typer.Option(help="Write an HTML page that shows each at five magnitudes on real samples.")
    ] = None,
) -> None:
    """List the operators that policies are made of."""
    import json

    from rich.table import Table

    from autoaug.cli import operator_gallery as catalog

    if gallery is not None:
        from autoaug.pipeline.operator_gallery import write_gallery

        write_gallery(gallery)
        echo(gallery)
    elif as_json:
        typer.echo(json.dumps(catalog.rows(), indent=2))
    else:
        table = Table("operator", "modality", "family", "values", "unit", box=None, pad_edge=False)
        for row in catalog.rows():
            low, high = row["range"]
            values = "on or off" if row["unit"] == "switch" else f"{low:g} … {high:g}"
            table.add_row(row["name"], row["modality"], row["family"], values, row["unit"])
        Console(width=None if sys.stdout.isatty() else 120).print(table, highlight=False)


def strategies() -> None:
    """List the search strategies, and when to use which."""
    from rich.table import Table

    from autoaug.search.strategies import STRATEGIES

    table = Table("strategy", "when to use it", "objectives", box=None, pad_edge=False)
    for strategy in STRATEGIES.values():
        table.add_row(strategy.name, strategy.summary, ", ".join(strategy.objectives))
    Console(width=None if sys.stdout.isatty() else 140).print(table, highlight=False)


def schema(of: Annotated[str, typer.Argument(help="policy or space.")]) -> None:
    """Print the JSON Schema of a policy file or a search space file, for editors that complete and check."""
    import json

    from pydantic import BaseModel

    from autoaug.pipeline.options import one_of
    from autoaug.policy.models import Policy
    from autoaug.search.space import SearchSpace

    words: dict[str, type[BaseModel]] = {"policy": Policy, "space": SearchSpace}
    typer.echo(json.dumps(words[one_of("schema", of, tuple(words))].model_json_schema(), indent=2))
