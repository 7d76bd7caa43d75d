"""Temporary disk space for arrays that are too large for memory; it is freed when the process ends."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path

from autoaug.errors import DataError
from autoaug.utils.private_folders import private_folder


class _Lifetime:
    """Lives as long as the process."""


_LIFETIME = _Lifetime()


def spill_folder() -> Path:
    """A new folder that is removed when this process exits; folders of killed processes are removed by the next one."""
    life = ExitStack()
    folder = life.enter_context(private_folder(Path(tempfile.gettempdir()), "autoaug-spill-"))
    weakref.finalize(_LIFETIME, life.close)
    return folder


def check_room(path: Path, needed: int) -> None:
    """Raise `DataError` if the temporary disk has less than `needed` bytes for the content of `path`."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if needed > free:
        raise DataError(
            f"{path}: unpacked, it takes {needed / 2**30:.1f} GiB, but {tempfile.gettempdir()} has {free / 2**30:.1f}; "
            "set TMPDIR to another disk"
        )
