"""Signals that wait for a good moment, or that a library would take away."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A block, or as a decorator a function, that SIGINT and SIGTERM do not break into: the first of them acts when it
    ends. For short work with a library that would print a traceback of its own.
    """
    if threading.current_thread() is not threading.main_thread():  # signals only ever break into the main thread
        yield
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    earlier = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


@contextmanager
def sigterm_kept() -> Iterator[None]:
    """Keep what SIGTERM does through a block in which a library has it end the process without a word; there it acts as
    Ctrl-C does.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:  # how such a library goes about it
        raise KeyboardInterrupt from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def ignore_signals() -> None:
    """Have Ctrl-C and SIGTERM do nothing from now on: the program is about to end, and would say so twice."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
