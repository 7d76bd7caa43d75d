"""What a tracker is, and how several are told."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol

from autoaug.errors import OptionError
from autoaug.result import SearchResult, TrialSummary
from autoaug.search_loop import Progress


class Tracker(Progress, Protocol):
    """A `Progress` that is also told of the outcome."""

    def finished(self, result: SearchResult) -> None:
        """The run is whole; its report is written."""


class Everyone:
    """Tells several, in turn; implements `Progress`."""

    def __init__(self, told: Sequence[Progress]) -> None:
        self._told = told

    def trial_ended(self, trial: TrialSummary, fraction: float) -> None:
        """Tell all of a trial."""
        for one in self._told:
            one.trial_ended(trial, fraction)

    def training_ended(self, name: str, done: int, total: int) -> None:
        """Tell all of a training of the confirmation."""
        for one in self._told:
            one.training_ended(name, done, total)

    def say(self, message: str) -> None:
        """Tell all of a stage."""
        for one in self._told:
            one.say(message)


def needed(package: str, tracker: str) -> Any:
    """The package that a tracker writes with; raises `OptionError` where it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise OptionError(f"--track {tracker} needs the package {package}: pip install 'autoaug[{tracker}]'") from None
