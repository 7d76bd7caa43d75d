"""One process at a time in a folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoaug.errors import InUse, RunError, full_disk, printable

#: The file that is locked; it says who holds it.
LOCK = ".lock"
_held: set[int] = set()


@contextmanager
def held(folder: Path, cure: str, wait: bool = False, name: str = LOCK) -> Iterator[None]:
    """Keep other processes out of `folder`, which is made where it is missing, for the length of the block.

    The operating system keeps the lock (flock), on this host and over NFS, and lets it go with the process that took
    it: one that was killed, or a machine that went down, leaves nothing behind that would have to be cleared. What is
    started from here does not inherit it.

    Args:
        folder: to be alone in.
        cure: what to do where another process is there, for the message.
        wait: for the other process to end, instead of raising.
        name: of the file that is locked, where it is not the whole folder that one is to be alone in.

    Raises:
        InUse: another process, or another thread of this one, is there.
        RunError: the file system has no locks, or the folder cannot be written.
    """
    path, is_new = folder / name, not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _taken(path, wait)
    except BlockingIOError:
        raise InUse(f"{folder} is in use by {_owner(path)}; {cure}") from None
    except OSError as fault:
        if full_disk(fault):
            raise
        rule = "it must be a folder that may be written, on a file system with locks"
        raise RunError(f"{folder} cannot be locked ({fault.strerror}): {rule}") from None
    _held.add(file)
    try:
        os.truncate(file, 0)
        os.write(file, this_process().encode())
        yield
    finally:
        if file in _held:  # not in a forked child
            _held.discard(file)
            with suppress(OSError):
                path.unlink()
                if is_new:
                    folder.rmdir()  # which only an empty one lets happen
            os.close(file)


def this_process() -> str:
    """What others are told of who is there."""
    return f"process {os.getpid()} on host {socket.gethostname()}"


def _taken(path: Path, wait: bool) -> int:
    """The locked file, open."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)  # what a link points at is not written
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if _is_at(file, path):
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # its owner removed it while it was opened here


def _owner(path: Path) -> str:
    try:
        return printable(path.read_text(encoding="utf-8", errors="replace")[:200]) or "another process"
    except OSError:  # it has just ended
        return "another process"


def _is_at(file: int, path: Path) -> bool:
    """Whether the open `file` is what lies at `path`."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _let_go() -> None:
    """In a forked child: close what the parent holds, so that the lock ends with the parent."""
    for file in _held:
        os.close(file)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)
