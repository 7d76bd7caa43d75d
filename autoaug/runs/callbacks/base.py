"""The interface of trackers, and how several are notified."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import Any

from autoaug.errors import OptionError, first_line
from autoaug.results import SearchResult
from autoaug.search.progress import Progress, Relay
from autoaug.utils.redaction import without_secrets


class Tracker(Progress):
    """A `Progress` that is also told how the run ends, in one of two ways."""

    def finished(self, result: SearchResult) -> None:
        """The run is complete, and its report is written."""

    def failed(self, error: BaseException) -> None:
        """The run ended before it was complete, by an error; that of Ctrl-C is a KeyboardInterrupt."""


class Broadcast(Relay):
    """Forwards every event to several listeners in turn."""

    def __init__(self, listeners: Sequence[Progress]) -> None:
        self._listeners = listeners

    def relay(self, event: str, *values: Any) -> None:
        for listener in self._listeners:
            getattr(listener, event)(*values)


class Guarded(Relay, Tracker):
    """A tracker that cannot end a run: if it fails, `others` get the reason. After that, and after the end of the run,
    it gets no further events. It is told of no trial of the control search: these have the same numbers and names as
    those of the search.
    """

    def __init__(self, name: str, tracker: Tracker, others: Progress) -> None:
        self._name, self._tracker, self._others = name, tracker, others
        self._has_ended = self._is_control = False

    def relay(self, event: str, *values: Any) -> None:
        self._is_control |= event == "control_begins"
        if self._has_ended or (self._is_control and event == "trial_ended"):
            return
        try:
            getattr(self._tracker, event)(*values)
        except Exception as fault:  # a lost server, an exhausted quota: each library has its own errors
            self._has_ended = True
            reason = without_secrets(first_line(fault))
            self._others.warn(f"--track {self._name} failed ({reason}); it is switched off for the rest of this run")

    def finished(self, result: SearchResult) -> None:
        self.relay("finished", result)
        self._has_ended = True

    def failed(self, error: BaseException) -> None:
        self.relay("failed", error)
        self._has_ended = True


def as_key(name: str) -> str:
    """The name of a metric, a policy or a choice as a part of a key: letters, digits, ``_``, ``-`` and ``.``, which all
    libraries take, are kept; all else becomes ``_``.
    """
    return re.sub(r"[^\w.-]+", "_", name)


def needed(package: str, tracker: str) -> Any:
    """Import the package that a tracker needs; raises `OptionError` if it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise OptionError(f"--track {tracker} needs the package {package}: pip install 'autoaug[{tracker}]'") from None
