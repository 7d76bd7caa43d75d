"""Private temporary folders that are removed even if their process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: A folder is locked so many seconds after it was made, at the latest.
_UNSEEN = 600


@contextmanager
def private_folder(place: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `place`, readable by this user only, that exists during the block. Its name is `prefix` and eight
    random characters. Such folders left behind by killed processes are removed first.
    """
    _remove_left(place, prefix)
    unseen = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=place))
    held = _locked(unseen)
    folder = unseen.rename(place / unseen.name.removeprefix("."))  # it becomes visible to others only once it is locked
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if held is not None:
            os.close(held)


def _locked(folder: Path) -> int | None:
    """Lock `folder` until this process ends, and return the descriptor; None if another process holds the lock."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _remove_left(place: Path, prefix: str) -> None:
    """Remove this user's folders whose processes are gone."""
    for folder in (*place.glob(f"{prefix}????????"), *place.glob(f".{prefix}????????")):
        with suppress(OSError):  # it belongs to another user, or is already gone
            about = folder.lstat()
            if folder.name.startswith(".") and time.time() - about.st_mtime < _UNSEEN:
                continue
            if about.st_uid == os.getuid() and (held := _locked(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(held)
