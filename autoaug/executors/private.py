"""Folders of this machine that nobody else looks into, gone when the process is, however it ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoaug.errors import OptionError

#: What stands in the name of such a folder before eight characters of chance.
_PREFIX = "autoaug-tune-"
#: The bytes that the path of a socket may have, and those that Ray's sockets have below such a folder.
_MOST_BYTES = 107 if sys.platform == "linux" else 103
_RAY_BYTES = len(f"/{_PREFIX}12345678/r/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that is this user's alone, for the length of the block. What earlier processes left that were killed
    is removed before. Raises `OptionError` as `check_private_folder` does.
    """
    place = _place()
    _remove_left(place)
    unseen = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=place))
    held = _locked(unseen)
    folder = unseen.rename(place / unseen.name.removeprefix("."))  # only now may others see it, and that it is held
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def check_private_folder() -> None:
    """Raise `OptionError` where there is no place for such folders: Ray needs a writable one with a short path."""
    _place()


def _place() -> Path:
    """The temporary folder, or ``/tmp`` where the path of that is too long for Ray's sockets."""
    for place in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 (a private folder is made in it)
        if len(os.fsencode(place)) + _RAY_BYTES <= _MOST_BYTES and os.access(place, os.W_OK | os.X_OK):
            return place
    raise OptionError(
        f"Ray has sockets in the temporary folder {tempfile.gettempdir()}, whose path has more than "
        f"{_MOST_BYTES - _RAY_BYTES} bytes, and /tmp cannot be written: set TMPDIR to a shorter one, or use --workers 1"
    )


def _locked(folder: Path) -> int | None:
    """A lock on `folder` that the system takes back when this process ends; None where another process has it."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _remove_left(place: Path) -> None:
    """Remove this user's folders whose processes are gone."""
    for folder in place.glob(f"{_PREFIX}????????"):
        with suppress(OSError):  # of another user, or gone in the meantime
            if folder.lstat().st_uid == os.getuid() and (held := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)
