"""The exception tree. Every error that a user can cause is one of these, and reads as one line.

AutoaugError
 ├─ DataError           the data set cannot be used as it is
 ├─ PolicyError         a policy, or a file of one, breaks a rule
 ├─ SpaceError          a search space, or a file of one, breaks a rule
 ├─ OptionError         an option of a command or a call has a value that cannot be
 │   └─ UnknownName     a name is not in its registry
 ├─ RunError            a run folder is missing, in the way, or damaged
 │   ├─ NewerFormat     a file was written by a newer version
 │   └─ InUse           another process is at work there
 ├─ DiskFull            the disk is full, and how to go on when there is room
 ├─ DeviceError         the hardware asked for is not there
 ├─ WorkersLost         the workers that run trials are gone
 └─ AllTrialsFailed     every trial of a search failed

KeyboardInterrupt
 └─ Interrupted         a run was interrupted, and where it can be resumed
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
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


class NewerFormat(RunError):
    """A file was written by a newer version: it is whole, and not to be written again."""


class InUse(RunError):
    """Another process is at work in a folder, or in a study."""


class DiskFull(AutoaugError):
    """The disk is full: nothing is wrong with what was being done, and it goes on when there is room."""


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
        super().__init__(f"interrupted; nothing that has ended is lost: go on with {resume_command(run_dir, trust)}")


def resume_command(run_dir: Path, trust: bool = False) -> str:
    """What a user types to go on with a run; `trust` where it names code of the user's own."""
    return f"autoaug resume {shlex.quote(str(run_dir))}{' --trust' if trust else ''}"


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


@contextmanager
def as_option_error() -> Iterator[None]:
    """Raise the ValueError of a check that exported code carries along, and that so knows no error of ours, as
    `OptionError`.
    """
    try:
        yield
    except ValueError as fault:
        raise OptionError(str(fault)) from None


def first_line(fault: BaseException) -> str:
    """What an error says, in one line: its first line, or its type where it says nothing."""
    lines = str(fault).strip().splitlines()
    return lines[0] if lines else type(fault).__name__


def typed_line(fault: BaseException) -> str:
    """The type of an error and its first line: for errors whose words alone say little, as those of libraries do."""
    return f"{type(fault).__name__}: {first_line(fault) if str(fault).strip() else 'no message'}"


#: Of an `OSError`, and as the libraries put it that turn one into an error of their own; SQLite's by their names.
_FULL_CODES = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "database or disk is full", "local disk is full")
_FULL_SQLITE = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})


def full_disk(fault: BaseException) -> BaseException | None:
    """The error, `fault` or one that it came from, which says that a disk is full or a quota used up; None where none
    does.
    """
    seen: list[BaseException] = []
    cause: BaseException | None = fault
    while cause is not None and cause not in seen:
        if (
            isinstance(cause, DiskFull)
            or getattr(cause, "errno", None) in _FULL_CODES
            or getattr(cause, "sqlite_errorname", "") in _FULL_SQLITE
            or any(words in str(cause).lower() for words in _FULL_WORDS)
        ):
            return cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    return None


@contextmanager
def pausing_on_full_disk(cure: str) -> Iterator[None]:
    """Raise `DiskFull`, with the `cure` that goes on from there, where the disk is full in the block."""
    try:
        yield
    except Exception as fault:
        cause = full_disk(fault)
        if cause is None:
            raise
        raise DiskFull(
            f"the disk is full ({first_line(cause)}); nothing that has ended is lost: free some room and {cure}"
        ) from None


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
