"""A clock that never goes backward during a run."""

from __future__ import annotations

import time

_BEGAN = time.time() - time.monotonic()


def now() -> float:
    """Seconds since the epoch: the system clock when this process began, plus the time elapsed since. Differences
    between calls are never negative, and setting the system clock cannot trigger a time limit.
    """
    return _BEGAN + time.monotonic()
