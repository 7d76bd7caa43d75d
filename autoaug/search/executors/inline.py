"""Runs trials one after another in this process, without Ray."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from autoaug.errors import OptionError
from autoaug.search.executors.base import Executor, TrialSpec, timed_out, unless_disk_full
from autoaug.training.result import TrialResult
from autoaug.training.setting import Setting
from autoaug.training.trial import carry_out, failed
from autoaug.utils.clock import now


class InlineExecutor(Executor):
    """Runs the oldest submitted trial up to its next rung whenever a result is taken.

    Args:
        setting: what the trials have in common.
        timeout: seconds that a trial may take; None for no limit. The alarm takes effect between two Python
            instructions: it cannot end a library call that never returns, which needs separate worker processes.

    Raises:
        OptionError: there is a limit, and this is not the main thread, in which alone the alarm rings.
    """

    slots = 1

    def __init__(self, setting: Setting, timeout: float | None = None) -> None:
        if timeout is not None and threading.current_thread() is not threading.main_thread():
            raise OptionError(
                "--trial-timeout ends trials in the program's main thread alone: call autoaug there, or use "
                "--executor ray-tune"
            )
        self._setting, self._timeout = setting, timeout
        self._waiting: deque[TrialSpec] = deque()
        self._current: tuple[str, Iterator[TrialResult]] | None = None
        self._begun = 0.0
        setting.warm_up()

    def submit(self, spec: TrialSpec) -> None:
        self._waiting.append(spec)

    def next_result(self) -> tuple[str, TrialResult]:
        if self._current is None:
            spec = self._waiting.popleft()
            self._current = spec.key, carry_out(spec.work, self._setting, spec.seed)
            self._begun = now()
        key, steps = self._current
        try:
            with self._alarm():
                result = next(steps)
        # The alarm rang outside the trial's own error handling, or a user's model called sys.exit. In a process of Ray,
        # SystemExit is how Ray ends a worker, and its trial is run again elsewhere.
        except (TimeoutError, SystemExit) as fault:
            result = failed(TrialResult(started=self._begun), fault)
        if result.status != "running":
            self._current = None
        return key, unless_disk_full(result)

    @contextmanager
    def _alarm(self) -> Iterator[None]:
        """Raise `TimeoutError` in the block when the trial's time is up."""
        if self._timeout is None:
            yield
            return

        def ring(*_: object) -> None:
            raise timed_out(self._timeout or 0.0)

        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, self._begun + self._timeout - now()))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def cancel(self) -> None:
        self._current = None

    def close(self) -> None:
        self._current = None
        self._waiting.clear()
