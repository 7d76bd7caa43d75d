"""Listeners for the progress of a search. `Progress` alone lists the events: a `Relay` takes them from there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from autoaug.results import MetricRecord, TrialSummary


class Progress:
    """Is notified of events as they happen. Each event is a method; by default, it is ignored."""

    def measured_by(self, metric: MetricRecord) -> None:
        """What the scores of the trials to come are."""

    def expects(self, seconds: float, limit: float | None) -> None:
        """The whole run takes about so many seconds, of which at most `limit` are left, if there is one."""

    def part_begins(self, start: float, stop: float) -> None:
        """What follows is about that part of the whole run, from its fraction `start` to `stop`, by time."""

    def trials_before(self, trials: Sequence[TrialSummary]) -> None:
        """The search goes on after these `trials`, which earlier sessions ended; there may be none."""

    def control_begins(self) -> None:
        """The trials to come are of the control search, numbered from 0 again."""

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial of the search ended; `fraction` of its budget is spent."""

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation ended."""

    def longer_ended(self, name: str, done: int, total: int) -> None:
        """A longer training after the confirmation ended; by default reported with `training_ended`."""
        self.training_ended(name, done, total)

    def say(self, message: str) -> None:
        """A stage begins or ends."""

    def doing(self, what: str) -> None:
        """What is going on from now on, for a user who waits without other news."""

    def warn(self, message: str) -> None:
        """Something went wrong that does not end the run; by default reported with `say`."""
        self.say(message)


class Relay(Progress):
    """Does the same with every event: `relay` gets its name and its values."""

    def __getattribute__(self, name: str) -> Any:
        is_event = name in vars(Progress) and not name.startswith("_")
        return partial(self.relay, name) if is_event else super().__getattribute__(name)

    def relay(self, event: str, *values: Any) -> None:
        """What is done with an event."""
        raise NotImplementedError
