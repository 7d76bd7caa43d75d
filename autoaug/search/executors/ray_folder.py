"""Where Ray keeps its files: in a private folder with a short path."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from autoaug.errors import OptionError
from autoaug.utils.private_folders import private_folder

_PREFIX = "autoaug-tune-"
#: The most bytes that a socket path may have, and how many Ray's sockets add to the temporary folder.
_MOST_BYTES = 107 if sys.platform == "linux" else 103
_RAY_BYTES = len(f"/{_PREFIX}12345678/r/session_2026-01-01_00-00-00_000000_4194304/sockets/plasma_store")


def ray_folder() -> AbstractContextManager[Path]:
    """A private folder that exists during a block; raises `OptionError` as `check_ray_folder` does."""
    return private_folder(_place(), _PREFIX)


def check_ray_folder() -> None:
    """Raise `OptionError` if there is no writable folder whose path is short enough for Ray."""
    _place()


def _place() -> Path:
    """The temporary folder, or ``/tmp`` if the path of the former is too long for Ray's sockets."""
    for place in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 (a private folder is made in it)
        if len(os.fsencode(place)) + _RAY_BYTES <= _MOST_BYTES and os.access(place, os.W_OK | os.X_OK):
            return place
    raise OptionError(
        f"Ray needs a writable temporary folder whose path has at most {_MOST_BYTES - _RAY_BYTES} bytes; neither "
        f"{tempfile.gettempdir()} nor /tmp is one: set TMPDIR to a short path, or use --workers 1"
    )
