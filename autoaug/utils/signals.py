"""Delay signals during critical work, and keep handlers that a library would replace."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[Callable[[], None]]:
    """Delay SIGINT and SIGTERM until the end of the block, or, as a decorator, of the function; then the first one
    takes effect. For short work with a library that would print its own traceback. The block gets a function that
    delays them again, for when the library has set its own handlers.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield lambda: None
        return
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.append(number)

    def delay() -> None:
        for number in _SIGNALS:
            signal.signal(number, note)

    earlier = {number: signal.getsignal(number) for number in _SIGNALS}
    delay()
    try:
        yield delay
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def run_uninterrupted(work: Callable[[], object]) -> None:
    """Run `work` as in `uninterrupted`, for a library whose C code resets handlers in mid-work, which Python does not
    see: it runs in a thread, and this one sets the handlers again and again.
    """
    with uninterrupted() as delay, ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        while wait([running], timeout=0.01).not_done:
            delay()
        running.result()


@contextmanager
def sigterm_kept() -> Iterator[None]:
    """Keep the SIGTERM handler through a block in which a library replaces it by a silent exit. In the block, SIGTERM
    acts like Ctrl-C.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit:  # raised by the library's handler
        raise KeyboardInterrupt from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def ignore_signals() -> None:
    """Ignore Ctrl-C and SIGTERM from now on: the program is about to end, and would report it twice."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
