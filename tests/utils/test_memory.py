"""What a process gives back to the system."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

_SCRIPT = """
import psutil
from autoaug.utils.memory import give_back_freed_memory

def used():
    return psutil.Process().memory_info().rss >> 20

blocks = [bytearray(60_000) for _ in range(4_000)]
kept = blocks[::200]
before = used()
del blocks
freed = used()
give_back_freed_memory()
print(before, freed, used())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_freed_memory_between_blocks_in_use_is_given_back() -> None:
    """In a process of its own, whose other blocks are known."""
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    before, freed, after = map(int, done.stdout.split())
    assert before - freed < 50
    assert before - after > 150
