"""All output to the terminal goes through here: text from data, files or other programs may hold control sequences."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

from autoaug.errors import printable
from autoaug.utils.quantities import duration

#: Seconds without a line before the first sign of life, and before the next ones. Nobody shall wait for ten: while a
#: library is loaded, no other thread runs, which on a busy machine makes a line up to four seconds late.
_FIRST, _SILENCE = 0.5, 5.0


def echo(line: object, err: bool = False) -> None:
    """Print a line, with unprintable characters escaped."""
    typer.echo(printable(str(line)), err=err)


def say(console: Console, line: str) -> None:
    """Print a line on a Rich console, escaped and without markup."""
    console.print(printable(line), highlight=False, markup=False, soft_wrap=True)


@contextmanager
def at_work(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show on stderr that the block is at work on `what`. It may call what it gets with the number of finished things
    and the number of all things: then it is shown how far it is, and how long the rest takes.
    """
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    heartbeat, first = Heartbeat(console, what), list[tuple[float, int]]()
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(30), TextColumn("{task.fields[far]}")
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(escape(printable(what)), total=None, far="")

    def reached(done: int, total: int) -> None:
        far, now = f"{done:,} of {total:,}", time.monotonic()
        begun, before = first[0] if first else (now, done)  # what an earlier process has done says nothing of the speed
        first[:] = [(begun, before)]
        if done > before:
            far += f", {duration((now - begun) * (total - done) / (done - before))} left"
        heartbeat.reached(far)
        bar.update(task, completed=done, total=total, far=far)

    heartbeat.start()
    try:
        with bar:
            yield reached
    finally:
        heartbeat.stop()


class Heartbeat:
    """Says in a file or a pipe what is going on, wherever nothing else is said for some seconds. On a terminal, where
    something moves anyway, it does nothing.

    Args:
        console: where lines go; who prints others there calls `said`.
        what: what is going on until `doing` is called.
    """

    def __init__(self, console: Console, what: str) -> None:
        self._console, self._what, self._far = console, what, ""
        self._begun = self._last = time.monotonic()
        self._wait, self._over = _FIRST, threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to listen for silence."""
        if not (self._console.is_terminal or self._console.is_jupyter):
            self._thread.start()

    def stop(self) -> None:
        """Say no more."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def doing(self, what: str) -> None:
        """Something else is going on from now on."""
        if what != self._what:
            self._what, self._far, self._begun = what, "", time.monotonic()

    def reached(self, far: str) -> None:
        """How far it is."""
        self._far = f": {far}"

    def said(self) -> None:
        """A line was printed."""
        self._last, self._wait = time.monotonic(), _SILENCE

    def _beat(self) -> None:
        while not self._over.wait(self._last + self._wait - time.monotonic()):
            if time.monotonic() < self._last + self._wait:
                continue
            try:
                say(self._console, f"… {self._what}{self._far} ({time.monotonic() - self._begun:.0f} s)")
            except (OSError, ValueError):  # nobody reads any more, or the file is closed
                return
            self.said()
