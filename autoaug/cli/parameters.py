"""Commands whose parameters come from an option record."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, fields
from types import NoneType
from typing import Annotated, Any, get_origin

import typer
from rich.markup import escape

from autoaug.utils.options import Option, Options, flag_of, members_of, option_of, type_of

_BY_NAME = inspect.Parameter.KEYWORD_ONLY


def command(
    app: typer.Typer, record: type[Options], example: str, panels: Sequence[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function ``f(**options)`` as a command of `app`, with the options that the record declares and the
    function's own keyword-only parameters. With `panels`, the help groups options under these headings, in this order.
    """

    def order(field: Field[Any]) -> tuple[bool, int]:
        return field.default is not MISSING, panels.index(_option(field).panel) if panels else 0

    declared = sorted((field for field in fields(record) if option_of(field)), key=order)
    parameters = [_parameter(field, bool(panels)) for field in declared]

    def wrap(function: Callable[..., None]) -> Callable[..., None]:
        shown: Any = function
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.kind == _BY_NAME]
        shown.__signature__ = inspect.Signature([*parameters, *own])
        shown.__annotations__ = {}
        app.command(epilog=f"Example: {example}")(function)
        return function

    return wrap


def _option(field: Field[Any]) -> Option:
    option = option_of(field)
    assert option is not None
    return option


def _parameter(field: Field[Any], panels: bool) -> inspect.Parameter:
    option, kind = _option(field), _parsed(type_of(field))
    words = escape(option.help)  # Typer would read brackets as markup
    if option.is_argument:
        how = typer.Argument(help=words)
    else:
        flag = flag_of(field)
        name = f"{flag}/--no-{flag.removeprefix('--')}" if field.default is True else flag
        how = typer.Option(name, help=words, rich_help_panel=option.panel if panels else None)
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    if default == ():
        default = None
    return inspect.Parameter(field.name, _BY_NAME, default=default, annotation=Annotated[kind, how])


def _parsed(kind: Any) -> Any:
    """The type to which the command line parses a value: numbers and switches as declared, sequences as lists of text,
    and everything else as text.
    """
    if get_origin(kind) is Sequence:
        return list[str] | None
    members = members_of(kind)
    known = [one for one in members if one in (int, float, bool)] if str not in members else []
    parsed = known[0] if known else str
    return parsed | None if NoneType in members else parsed
