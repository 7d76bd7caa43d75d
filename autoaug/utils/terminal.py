"""All output to the terminal goes through here: text from data, files or other programs may hold control sequences."""

from __future__ import annotations

import typer
from rich.console import Console

from autoaug.errors import printable


def echo(line: object, err: bool = False) -> None:
    """Print a line, with unprintable characters escaped."""
    typer.echo(printable(str(line)), err=err)


def say(console: Console, line: str) -> None:
    """Print a line on a Rich console, escaped and without markup."""
    console.print(printable(line), highlight=False, markup=False, soft_wrap=True)
