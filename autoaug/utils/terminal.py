"""The one way of text to the terminal: what comes from data, files or other programs may hold what a terminal obeys."""

from __future__ import annotations

import typer
from rich.console import Console

from autoaug.errors import printable


def echo(line: object, err: bool = False) -> None:
    """Print a line, with all that is not printable escaped."""
    typer.echo(printable(str(line)), err=err)


def say(console: Console, line: str) -> None:
    """The same on a console of Rich, without markup."""
    console.print(printable(line), highlight=False, markup=False, soft_wrap=True)
