"""The exception tree. Every error that a user can cause is one of these, and reads as one line.

AutoaugError
 ├─ DataError           the data set cannot be used as it is
 ├─ PolicyError         a policy or policy file breaks a rule
 ├─ SpaceError          a search space or space file breaks a rule
 ├─ OptionError         an option has an invalid value
 │   └─ UnknownName     a name is not in its registry
 ├─ RunError            a run folder is missing, in the way, or damaged
 │   ├─ OtherFormat     a file was written by another version
 │   └─ InUse           another process is using the folder or study
 ├─ DiskFull            the disk is full; the message tells how to continue
 ├─ DeviceError         the requested hardware is not available
 ├─ WorkersLost         the workers that run trials are gone
 └─ AllTrialsFailed     every trial of a search failed

KeyboardInterrupt
 └─ Interrupted         a run was interrupted; the message tells how to resume
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
    """Base of every error that autoaug raises on purpose. The message names the value, the rule and the cure."""


class DataError(AutoaugError):
    """The data set cannot be used as it is."""


class PolicyError(AutoaugError):
    """A policy breaks a rule of the format, or cannot be used here."""


class SpaceError(AutoaugError):
    """A search space breaks a rule of the format, or allows no policy."""


class OptionError(AutoaugError):
    """An option has an invalid value."""


class RunError(AutoaugError):
    """A run folder is missing, in the way, or damaged."""


class OtherFormat(RunError):
    """A file was written by another version. It is intact and must not be overwritten."""


class InUse(RunError):
    """Another process is using a folder or a study."""


class DiskFull(AutoaugError):
    """The disk is full; the work itself is fine and can continue once there is room."""


class DeviceError(AutoaugError):
    """The requested hardware is not available."""


class WorkersLost(AutoaugError):
    """The workers that run trials are gone for good."""


class AllTrialsFailed(AutoaugError):
    """Every trial of a search failed; the message groups the causes."""


class Interrupted(KeyboardInterrupt):
    """A run was interrupted. It can be resumed from the folder `run_dir`, with the option `trust` if the run uses the
    user's own code.
    """

    def __init__(self, run_dir: Path, trust: bool = False) -> None:
        self.run_dir = run_dir
        super().__init__(f"interrupted; finished work is kept: continue with {resume_command(run_dir, trust)}")


def resume_command(run_dir: Path, trust: bool = False) -> str:
    """The command that resumes a run; `trust` if the run uses the user's own code."""
    return f"autoaug resume {shlex.quote(str(run_dir))}{' --trust' if trust else ''}"


#: So many names are suggested, and so many are listed where none is near; timm has over a thousand networks.
_FEW_NAMES, _MANY_NAMES = 3, 60


class UnknownName(OptionError):
    """A name is not in its registry; the message suggests the nearest one, or else those that contain it.

    Args:
        kind: what the name should refer to, e.g. ``"operator"``.
        name: the given name.
        known: the valid names.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        by_lower = {k.lower(): k for k in self.known}
        likely = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6) or [
            k for k in by_lower if name.lower() in k
        ]
        if name and 0 < len(likely) <= _FEW_NAMES:
            hint = f"did you mean {' or '.join(repr(by_lower[k]) for k in likely)}?"
        else:
            more = len(self.known) - _MANY_NAMES
            listed = ", ".join(self.known[:_MANY_NAMES])
            hint = f"known are: {listed}{f', and {more} more' if more > 0 else ''}"
        super().__init__(f"unknown {kind} {name!r}; {hint}")

    def __reduce__(self) -> tuple[type[UnknownName], tuple[str, str, list[str]]]:
        """Rebuild from the three arguments, so that the error can be sent between processes."""
        return type(self), (self.kind, self.name, self.known)


@contextmanager
def as_option_error() -> Iterator[None]:
    """Turn a ValueError into an `OptionError`, for checks that exported code contains and that cannot import this
    module.
    """
    try:
        yield
    except ValueError as fault:
        raise OptionError(str(fault)) from None


def first_line(fault: BaseException) -> str:
    """The first line of an error message, or the type of the error if the message is empty."""
    lines = str(fault).strip().splitlines()
    return lines[0] if lines else type(fault).__name__


def typed_line(fault: BaseException) -> str:
    """The type of an error and its first line, for errors of libraries, whose message alone often says little."""
    return f"{type(fault).__name__}: {first_line(fault) if str(fault).strip() else 'no message'}"


#: How to recognize a full disk: codes of an `OSError`, messages of libraries that replace it, and names in SQLite.
_FULL_CODES = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "database or disk is full", "local disk is full")
_FULL_SQLITE = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE"})


def full_disk(fault: BaseException) -> BaseException | None:
    """The error, `fault` or one of its causes, that reports a full disk or an exhausted quota; None if none does."""
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
    """Raise `DiskFull`, with the `cure` that continues from there, if the disk is full in the block."""
    try:
        yield
    except Exception as fault:
        cause = full_disk(fault)
        if cause is None:
            raise
        raise DiskFull(
            f"the disk is full ({first_line(cause)}); finished work is kept: free some space and {cure}"
        ) from None


def printable(text: str) -> str:
    r"""`text` with control characters escaped, which a terminal would obey, and with bytes of file names that are not
    UTF-8 escaped, which cannot be written to a UTF-8 file.

    >>> printable("a\x1b[2J")
    'a\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def rule_of(fault: Mapping[str, Any]) -> str:
    """The broken rule in one of pydantic's ``errors()``, without the prefix that pydantic adds to our own messages, and
    in our words.
    """
    return str(fault["msg"]).removeprefix("Value error, ").replace("Input should ", "must ", 1)
