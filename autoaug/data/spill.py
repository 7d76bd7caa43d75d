"""Temporary disk space for arrays and files that are too large for memory; it is freed with the data that are in it."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import weakref
from contextlib import ExitStack
from pathlib import Path

from autoaug.errors import DataError
from autoaug.utils.private_folders import private_folder

#: The folder of each process in each temporary folder. Forked children know those of their parent.
_roots: dict[tuple[int, str], Path] = {}


class SpillFolder:
    """A new folder that is removed with this object, or when this process exits; folders of killed processes are
    removed by the next one. Other processes, which read what is in it, receive None instead of this object.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(dir=_root()))
        weakref.finalize(self, _remove, self.path, os.getpid())

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


def _remove(folder: Path, process: int) -> None:
    if os.getpid() == process:  # a forked child has a copy of the object, and may end earlier
        shutil.rmtree(folder, ignore_errors=True)


def _root() -> Path:
    """This process's own folder, which is locked as long as the process lives."""
    key = os.getpid(), tempfile.gettempdir()
    if key not in _roots or not os.access(_roots[key], os.W_OK, effective_ids=True):  # or it was cleaned away
        life = ExitStack()
        _roots[key] = life.enter_context(private_folder(Path(key[1]), "autoaug-spill-"))
        atexit.register(_close, life, key[0])
    return _roots[key]


def _close(life: ExitStack, process: int) -> None:
    if os.getpid() == process:
        life.close()


def check_room(path: Path, needed: int) -> None:
    """Raise `DataError` if the temporary disk has less than `needed` bytes for the content of `path`."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if needed > free:
        raise DataError(
            f"{path}: unpacked, it takes {needed / 2**30:.1f} GiB, but {tempfile.gettempdir()} has {free / 2**30:.1f}; "
            "set TMPDIR to another disk"
        )
