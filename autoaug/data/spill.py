"""Room on disk for arrays that are too large for memory; it is freed when the process ends."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path


class _Lifetime:
    """Lives as long as the process."""


_LIFETIME = _Lifetime()


def spill_folder() -> Path:
    """A new folder that is removed when this process exits."""
    folder = Path(tempfile.mkdtemp(prefix="autoaug-"))
    weakref.finalize(_LIFETIME, shutil.rmtree, folder, ignore_errors=True)
    return folder
