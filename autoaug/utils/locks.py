"""A lock that lets one process at a time into a folder, and is released however that process ends."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoaug.errors import InUse, RunError, full_disk, pausing_on_full_disk, printable

#: The file that is locked; it names the process that holds the lock.
LOCK = ".lock"
_held: set[int] = set()


@contextmanager
def held(folder: Path, cure: str, wait: bool = False, name: str = LOCK) -> Iterator[None]:
    """Keep other processes out of `folder` during the block. A missing folder is created.

    The operating system holds the lock (flock), on this host and over NFS, and releases it when the process ends: after
    a kill or a crash of the machine, nothing has to be cleaned up. Child processes do not inherit it.

    Args:
        folder: the folder to lock.
        cure: what to do if another process is there, for the message.
        wait: whether to wait for the other process to end, instead of raising.
        name: the name of the lock file; another name locks only a part of the folder.

    Raises:
        InUse: another process, or another thread of this one, holds the lock.
        RunError: the file system does not support locks, or the folder cannot be written.
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
        rule = "it must be a writable folder on a file system that supports locks"
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
                    folder.rmdir()  # fails if it is not empty
            os.close(file)


@contextmanager
def driving(folder: Path, cure: str) -> Iterator[None]:
    """Keep other processes out of the folder of a run while this one drives it. Errors that pause the run tell the
    `cure`: how to continue.
    """
    with pausing_on_full_disk(cure), held(folder, f"wait until it has ended, or end it and {cure}"):
        yield


def this_process() -> str:
    """How this process is named to others."""
    return f"process {os.getpid()} on host {socket.gethostname()}"


def _taken(path: Path, wait: bool) -> int:
    """Open and lock the file; return its descriptor."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)  # never write through a link
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
    """Whether the open `file` is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _let_go() -> None:
    """In a forked child, close the parent's lock files, so that the locks end with the parent."""
    for file in _held:
        os.close(file)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)
