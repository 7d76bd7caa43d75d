"""The event log of a run: always written, and what is read of a run that is not whole."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from autoaug.result import SearchResult, TrialSummary


class EventLog:
    """``events.jsonl``: a line an event, with its time in seconds since the epoch. What is in it stays there; a line
    that a crash tore is left behind by a new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.is_file() and not path.read_bytes().endswith(b"\n"):
            with path.open("a") as file:
                file.write("\n")

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial, and how much of the budget is spent."""
        self._write("trial", fraction=round(fraction, 4), trial=trial.model_dump(mode="json"))

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation."""
        self._write("confirmation", name=name, done=done, total=total)

    def say(self, message: str) -> None:
        """A stage."""
        self._write("stage", message=message)

    def finished(self, result: SearchResult) -> None:
        """The verdict."""
        self._write("finished", verdict=result.verdict, sentence=result.sentence, returned=result.returned.name)

    def _write(self, event: str, **what: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(time.time(), 3), "event": event, **what}) + "\n")


def read_events(path: Path) -> list[dict[str, Any]]:
    """The events of a log; torn lines are passed over."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events
