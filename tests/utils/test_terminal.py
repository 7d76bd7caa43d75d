"""Output to the terminal: signs of life where nothing else is said."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from autoaug.runs.callbacks.console import ConsoleProgress
from autoaug.utils import terminal
from tests.conftest import PATIENCE


def until(is_done: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not is_done() and time.monotonic() < ends:
        time.sleep(0.01)
    assert is_done()


def test_whoever_waits_is_told_what_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_FIRST", 0.01)
    monkeypatch.setattr(terminal, "_SILENCE", 0.05)
    written = io.StringIO()
    with ConsoleProgress(Console(file=written, force_terminal=False, width=200)) as progress:
        until(lambda: "… preparing (" in written.getvalue())
        progress.say("reading [bold]\x1b[2Jphotos")
        until(lambda: "… reading [bold]" in written.getvalue())
        progress.doing("trial 3, none")
        until(lambda: "… trial 3, none (" in written.getvalue())
    assert "\x1b" not in written.getvalue()
    said = written.getvalue()
    time.sleep(0.2)
    assert written.getvalue() == said, "it ends with the run"


def test_a_terminal_gets_no_such_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_FIRST", 0.01)
    written = io.StringIO()
    heartbeat = terminal.Heartbeat(Console(file=written, force_terminal=True, width=200), "reading")
    heartbeat.start()
    time.sleep(0.1)
    heartbeat.stop()
    assert written.getvalue() == ""


def test_a_closed_stream_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_FIRST", 0.01)
    closed = io.StringIO()
    heartbeat = terminal.Heartbeat(Console(file=closed, force_terminal=False), "reading")
    closed.close()
    heartbeat.start()
    until(lambda: not heartbeat._thread.is_alive())
    heartbeat.stop()


def test_how_far_it_is_and_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "_FIRST", 0.01)
    monkeypatch.setattr(terminal, "_SILENCE", 0.05)
    said = ""

    def has_said(words: str) -> bool:
        nonlocal said
        said += capsys.readouterr().err
        return words in said

    with terminal.at_work("making copies") as reached:
        until(lambda: has_said("… making copies ("))
        reached(1000, 3000)
        until(lambda: has_said("… making copies: 1,000 of 3,000 ("))  # what was there before tells no speed
        time.sleep(0.5)
        reached(2000, 3000)
        until(lambda: has_said("… making copies: 2,000 of 3,000, ") and " left (" in said)
