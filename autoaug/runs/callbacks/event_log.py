"""The event log of a run: always written, and read to show a run that is not complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from autoaug.errors import RunError
from autoaug.results import ACCURACY, Count, MetricRecord, SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Tracker
from autoaug.utils.clock import now
from autoaug.utils.json import read_lines


class _Event(BaseModel):
    """Base of the events: the time in seconds since the epoch, before the year 10000."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    time: Annotated[float, Field(ge=0, le=253_402_214_400)]


class _Measured(_Event):
    event: Literal["metric"]
    metric: MetricRecord


class _TrialEnded(_Event):
    event: Literal["trial"]
    fraction: float
    trial: TrialSummary


class _TrainingEnded(_Event):
    event: Literal["confirmation", "longer"]
    name: str
    done: Count
    total: Count


class _Stage(_Event):
    event: Literal["stage", "control"]
    message: str


class _Finished(_Event):
    event: Literal["finished"]
    verdict: str
    sentence: str
    returned: str


_EVENT: TypeAdapter[_Event] = TypeAdapter(
    Annotated[_Measured | _TrialEnded | _TrainingEnded | _Stage | _Finished, Field(discriminator="event")]
)


class EventLog(Tracker):
    """``events.jsonl``: one line per event, with its time in seconds since the epoch. The file is append-only; after a
    line cut off by a crash, a new line is begun.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if path.is_file() and not path.read_bytes().endswith(b"\n"):
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")

    def measured_by(self, metric: MetricRecord) -> None:
        """What scores are."""
        self._write("metric", metric=metric.model_dump(mode="json"))

    def control_begins(self) -> None:
        """Log that the trials to come are of the control search."""
        self._write("control", message="the control search begins")

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """Log a trial, and the fraction of the budget that is spent."""
        self._write("trial", fraction=round(fraction, 4), trial=trial.model_dump(mode="json"))

    def training_ended(self, name: str, done: int, total: int) -> None:
        """Log a training of the confirmation."""
        self._write("confirmation", name=name, done=done, total=total)

    def longer_ended(self, name: str, done: int, total: int) -> None:
        """Log a longer training."""
        self._write("longer", name=name, done=done, total=total)

    def say(self, message: str) -> None:
        """Log a stage."""
        self._write("stage", message=message)

    def finished(self, result: SearchResult) -> None:
        """Log the verdict."""
        self._write("finished", verdict=result.verdict, sentence=result.sentence, returned=result.returned.name)

    def _write(self, event: str, **what: Any) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"time": round(now(), 3), "event": event, **what}) + "\n")


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read the events of a log; damaged lines are skipped. Raises `RunError` if the log cannot be read at all."""
    return [event.model_dump(mode="json") for event in read_lines(path, _EVENT, RunError)]


def metric_of(events: Sequence[Mapping[str, Any]]) -> MetricRecord:
    """What the scores in a log are; accuracy, until it says."""
    found = [event["metric"] for event in events if event["event"] == "metric"]
    return MetricRecord.model_validate(found[-1]) if found else ACCURACY
