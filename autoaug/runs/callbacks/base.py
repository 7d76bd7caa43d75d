"""The interface of trackers, and how several are notified."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

from autoaug.errors import OptionError, first_line
from autoaug.results import MetricRecord, SearchResult, TrialSummary
from autoaug.search.progress import Progress
from autoaug.utils.redaction import without_secrets


class Tracker(Progress, Protocol):
    """A `Progress` that is also told of the outcome. Where it names the metric, it does so by `MetricRecord.key`."""

    def finished(self, result: SearchResult) -> None:
        """The run is complete, and its report is written."""


class Broadcast(Progress):
    """Forwards every event to several listeners in turn."""

    def __init__(self, listeners: Sequence[Progress]) -> None:
        self._listeners = listeners

    def _tell(self, event: str, *what: Any) -> None:
        for listener in self._listeners:
            getattr(listener, event)(*what)

    def measured_by(self, metric: MetricRecord) -> None:
        self._tell("measured_by", metric)

    def expects(self, seconds: float, limit: float | None) -> None:
        self._tell("expects", seconds, limit)

    def part_begins(self, start: float, stop: float) -> None:
        self._tell("part_begins", start, stop)

    def trials_before(self, trials: Sequence[TrialSummary]) -> None:
        self._tell("trials_before", trials)

    def control_begins(self) -> None:
        self._tell("control_begins")

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        self._tell("trial_ended", trial, fraction)

    def training_ended(self, name: str, done: int, total: int) -> None:
        self._tell("training_ended", name, done, total)

    def longer_ended(self, name: str, done: int, total: int) -> None:
        self._tell("longer_ended", name, done, total)

    def say(self, message: str) -> None:
        self._tell("say", message)

    def doing(self, what: str) -> None:
        self._tell("doing", what)

    def warn(self, message: str) -> None:
        self._tell("warn", message)


class Guarded(Tracker):
    """A tracker that cannot end a run: if it fails, `others` get the reason, and it gets no further events. It is told
    of no trial of the control search: these have the same numbers and names as those of the search.
    """

    def __init__(self, name: str, tracker: Tracker, others: Progress) -> None:
        self._name, self._tracker, self._others = name, tracker, others
        self._has_failed = self._is_control = False

    def _tell(self, event: str, *what: Any) -> None:
        if self._has_failed:
            return
        try:
            getattr(self._tracker, event)(*what)
        except Exception as fault:  # a lost server, an exhausted quota: each library has its own errors
            self._has_failed = True
            reason = without_secrets(first_line(fault))
            self._others.warn(f"--track {self._name} failed ({reason}); it is switched off for the rest of this run")

    def measured_by(self, metric: MetricRecord) -> None:
        self._tell("measured_by", metric)

    def control_begins(self) -> None:
        self._is_control = True

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        if not self._is_control:
            self._tell("trial_ended", trial, fraction)

    def training_ended(self, name: str, done: int, total: int) -> None:
        self._tell("training_ended", name, done, total)

    def longer_ended(self, name: str, done: int, total: int) -> None:
        self._tell("longer_ended", name, done, total)

    def say(self, message: str) -> None:
        self._tell("say", message)

    def warn(self, message: str) -> None:
        self._tell("warn", message)

    def finished(self, result: SearchResult) -> None:
        self._tell("finished", result)


def needed(package: str, tracker: str) -> Any:
    """Import the package that a tracker needs; raises `OptionError` if it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise OptionError(f"--track {tracker} needs the package {package}: pip install 'autoaug[{tracker}]'") from None
