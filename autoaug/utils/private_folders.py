"""Temporary folders that nobody else looks into, gone when their process is, however it ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def private_folder(place: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `place` that is this user's alone, for the length of the block; its name is `prefix` and eight
    characters of chance. What earlier processes that were killed left there under such names is removed before.
    """
    _remove_left(place, prefix)
    unseen = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=place))
    held = _locked(unseen)
    folder = unseen.rename(place / unseen.name.removeprefix("."))  # only now may others see it, and that it is held
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _locked(folder: Path) -> int | None:
    """A lock on `folder` that the system takes back when this process ends; None where another process has it."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _remove_left(place: Path, prefix: str) -> None:
    """Remove this user's folders whose processes are gone."""
    for folder in place.glob(f"{prefix}????????"):
        with suppress(OSError):  # of another user, or gone in the meantime
            if folder.lstat().st_uid == os.getuid() and (held := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)
