"""The commands' parameters, with defaults and help, are those of the option records."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from autoaug.cli.main import app
from autoaug.pipeline.generation_options import ExpandOptions, FitOptions, SampleOptions
from autoaug.pipeline.options import (
    CheckOptions,
    CompareOptions,
    RobustnessOptions,
    SearchOptions,
)
from autoaug.utils.options import Options, option_of

RECORDS: dict[str, type[Options]] = {
    "search": SearchOptions,
    "compare": CompareOptions,
    "check": CheckOptions,
    "expand": ExpandOptions,
    "robustness": RobustnessOptions,
    "generate fit": FitOptions,
    "generate sample": SampleOptions,
}


def commands(group: Any, before: str = "") -> dict[str, Any]:
    """Every command by the words that call it."""
    by_words: dict[str, Any] = {}
    for name, command in group.commands.items():
        words = f"{before} {name}".strip()
        by_words |= commands(command, words) if hasattr(command, "commands") else {words: command}
    return by_words


COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_help_with_an_example(words: str) -> None:
    shown = CliRunner().invoke(app, [*words.split(), "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert shown.exit_code == 0, shown.output
    assert f"Example: autoaug {words} " in f"{shown.output} "


@pytest.mark.parametrize("words", RECORDS)
def test_a_command_takes_what_its_record_declares(words: str) -> None:
    parameters = {parameter.name: parameter for parameter in COMMANDS[words].params}
    for field in fields(RECORDS[words]):
        option = option_of(field)
        assert (field.name in parameters) == bool(option), field.name
        if option is None:
            continue
        parameter = parameters[field.name]
        assert parameter.param_type_name == ("argument" if option.is_argument else "option")
        assert parameter.help.replace("\\[", "[") == option.help
        assert parameter.required == (field.default is MISSING)
        off = [f"--no-{field.name.replace('_', '-')}"] if field.default is True else []
        assert parameter.secondary_opts == off, "a switch that is on can be turned off, and no other"
        if field.default not in (MISSING, ()):
            assert parameter.default == field.default


def test_help_shows_defaults_that_depend_on_the_data() -> None:
    shown = CliRunner().invoke(app, ["search", "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).output
    assert "[default: by size]" in shown
    assert shown.index("The search") < shown.index("Trainings") < shown.index("The confirmation")
