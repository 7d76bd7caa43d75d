"""The time, by a clock that is not set back in the middle of a run."""

from __future__ import annotations

import time

_BEGAN = time.time() - time.monotonic()


def now() -> float:
    """Seconds since the epoch, as the system's clock had it when this process began, and time has passed since: what
    lies between two calls is never negative, and no limit is reached because somebody sets the clock.
    """
    return _BEGAN + time.monotonic()
