"""Trials one after another in this process; needs no Ray."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from autoaug.executors.base import Executor, TrialSpec
from autoaug.result import TrialResult
from autoaug.trial import Task


class InlineExecutor(Executor):
    """Runs the oldest submitted trial up to its next rung whenever a result is asked for."""

    slots = 1

    def __init__(self, task: Task) -> None:
        self._task = task
        self._waiting: deque[TrialSpec] = deque()
        self._current: tuple[str, Iterator[TrialResult]] | None = None
        task.warm_up()

    def submit(self, spec: TrialSpec) -> None:
        self._waiting.append(spec)

    def next_result(self) -> tuple[str, TrialResult]:
        if self._current is None:
            spec = self._waiting.popleft()
            self._current = spec.key, spec.work.run(self._task, spec.seed)
        key, steps = self._current
        result = next(steps)
        if result.status != "running":
            self._current = None
        return key, result

    def cancel(self) -> None:
        self._current = None

    def close(self) -> None:
        self._current = None
        self._waiting.clear()
