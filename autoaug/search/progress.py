"""The protocol for reporting the progress of a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autoaug.results import MetricRecord, TrialSummary


class Progress(Protocol):
    """Is notified of events as they happen."""

    def measured_by(self, metric: MetricRecord) -> None:  # noqa: ARG002 (not all care)
        """What the scores of the trials to come are."""
        return None

    def expects(self, seconds: float, limit: float | None) -> None:  # noqa: ARG002 (not all care)
        """The whole run takes about so many seconds, of which at most `limit` are left, if there is one."""
        return None

    def part_begins(self, start: float, stop: float) -> None:  # noqa: ARG002 (not all care)
        """What follows is about that part of the whole run, from its fraction `start` to `stop`, by time."""
        return None

    def trials_before(self, trials: Sequence[TrialSummary]) -> None:  # noqa: ARG002 (not all care)
        """The search goes on after these `trials`, which earlier sessions ended; there may be none."""
        return None

    def control_begins(self) -> None:
        """The trials to come are of the control search, numbered from 0 again."""
        return None

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial of the search ended; `fraction` of its budget is spent."""

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation ended."""

    def longer_ended(self, name: str, done: int, total: int) -> None:
        """A longer training after the confirmation ended; by default reported with `training_ended`."""
        self.training_ended(name, done, total)

    def say(self, message: str) -> None:
        """A stage begins or ends."""

    def doing(self, what: str) -> None:  # noqa: ARG002 (not all care)
        """What is going on from now on, for who waits without other news."""
        return None

    def warn(self, message: str) -> None:
        """Something went wrong that does not end the run; by default reported with `say`."""
        self.say(message)
