"""The memory of this process."""

from __future__ import annotations

import ctypes
import sys


def give_back_freed_memory() -> None:
    """Give freed memory back to the system, where the C library can be asked to (glibc). By itself it gives back only
    what lies above all blocks in use: workers that trained on samples of many lengths grew to five gigabytes.
    """
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
