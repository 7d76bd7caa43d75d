"""Progress to the standard logger ``autoaug``, for Python programs that do not show it otherwise."""

from __future__ import annotations

import logging

from autoaug.results import TrialSummary
from autoaug.search.progress import Progress

_LOG = logging.getLogger("autoaug")


class Logged(Progress):
    """Logs stages at level INFO, warnings at WARNING, and single trials and trainings at DEBUG."""

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """A trial of the search ended."""
        reason = f" ({trial.reason})" if trial.reason else ""
        _LOG.debug("trial %d, %s: %s%s, %.0f %% done", trial.number, trial.label, trial.status, reason, 100 * fraction)

    def training_ended(self, name: str, done: int, total: int) -> None:
        """A training of the confirmation, or of those that follow it, ended."""
        _LOG.debug("training %d of %d: %s", done, total, name)

    def say(self, message: str) -> None:
        """A stage begins or ends."""
        _LOG.info("%s", message)

    def warn(self, message: str) -> None:
        """Something went wrong that does not end the run."""
        _LOG.warning("%s", message)
