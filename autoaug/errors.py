"""The exception tree. Every error that a user can cause is one of these, and reads as one line.

AutoaugError
 ├─ DataError           the data set cannot be used as it is
 ├─ PolicyError         a policy, or a file of one, breaks a rule
 ├─ SpaceError          a search space, or a file of one, breaks a rule
 ├─ OptionError         an option of a command or a call has a value that cannot be
 │   └─ UnknownName     a name is not in its registry
 ├─ RunError            a run folder is missing, in the way, or damaged
 ├─ DeviceError         the hardware asked for is not there
 ├─ WorkersLost         the workers that run trials are gone
 └─ AllTrialsFailed     every trial of a search failed

KeyboardInterrupt
 └─ Interrupted         a run was interrupted, and where it can be resumed
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class AutoaugError(Exception):
    """Base of every error that autoaug raises on purpose: names the value, the rule and the cure."""


class DataError(AutoaugError):
    """The data set cannot be used as it is."""


class PolicyError(AutoaugError):
    """A policy breaks a rule of the format, or cannot be used in this place."""


class SpaceError(AutoaugError):
    """A search space breaks a rule of the format, or allows nothing."""


class OptionError(AutoaugError):
    """An option has a value that it cannot have."""


class RunError(AutoaugError):
    """A run folder is missing, in the way, or damaged."""


class DeviceError(AutoaugError):
    """The hardware asked for is not there."""


class WorkersLost(AutoaugError):
    """The workers that run trials are gone for good."""


class AllTrialsFailed(AutoaugError):
    """Every trial of a search failed; the message groups the causes."""


class Interrupted(KeyboardInterrupt):
    """A run was interrupted; `run_dir` is the folder from which it can be resumed, with the option `trust` where it
    names code of the user's own.
    """

    def __init__(self, run_dir: Path, trust: bool = False) -> None:
        self.run_dir = run_dir
        command = f"autoaug resume {shlex.quote(str(run_dir))}{' --trust' if trust else ''}"
        super().__init__(f"interrupted; nothing that has ended is lost: go on with {command}")


class UnknownName(OptionError):
    """A name that is not in its registry; the message offers the nearest one.

    Args:
        kind: what the name should have been, e.g. ``"operator"``.
        name: what was given.
        known: the names there are.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        nearest = get_close_matches(name.lower(), [k.lower() for k in self.known], n=1, cutoff=0.5)
        by_lower = {k.lower(): k for k in self.known}
        hint = f"did you mean {by_lower[nearest[0]]!r}?" if nearest else f"there are: {', '.join(self.known)}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, list[str]]]:
        """Rebuild from the three arguments, so that the error crosses process borders."""
        return type(self), (self.kind, self.name, self.known)


def first_line(fault: BaseException) -> str:
    """What an error says, in one line: its first line, or its type where it says nothing."""
    lines = str(fault).strip().splitlines()
    return lines[0] if lines else type(fault).__name__


def printable(text: str) -> str:
    r"""`text` with everything escaped that a terminal would obey, or that no UTF-8 file can hold: control characters,
    and the bytes of a file name that is not UTF-8.

    >>> printable("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def rule_of(fault: Mapping[str, Any]) -> str:
    """The broken rule in one of pydantic's ``errors()``, without the words that it puts before a validator's own."""
    return str(fault["msg"]).removeprefix("Value error, ")
