"""The seam between the search loop and whatever runs trials."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from autoaug.errors import DiskFull
from autoaug.training.result import TrialResult
from autoaug.training.setting import Work


@dataclass(frozen=True)
class TrialSpec:
    """Work to do on the task: `key` is the caller's name for it."""

    key: str
    work: Work
    seed: int


class Executor(ABC):
    """Runs trials of one task. The caller keeps up to `slots` submitted, and takes results until none is left.

    A result that is ``running`` was taken at a rung; the trial goes on when the next result is taken, unless it
    is canceled before. Study states are the same under every executor.
    """

    slots: int

    @abstractmethod
    def submit(self, spec: TrialSpec) -> None:
        """Queue a trial."""

    @abstractmethod
    def next_result(self) -> tuple[str, TrialResult]:
        """Wait for the next result, running or final, and say whose it is. Raises `DiskFull` where the trial had no
        room on a disk: the next ones would have none either.
        """

    @abstractmethod
    def cancel(self) -> None:
        """End the trial whose running result was the last one given; it gives no further result."""

    @abstractmethod
    def close(self) -> None:
        """Stop everything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run_all(executor: Executor, specs: Iterable[TrialSpec]) -> Iterator[tuple[str, TrialResult]]:
    """Run all of `specs`, as many at a time as the executor has slots, and yield each one's final result when it
    comes.
    """
    waiting, running = iter(specs), 0
    while True:
        for spec in itertools.islice(waiting, executor.slots - running):
            executor.submit(spec)
            running += 1
        if not running:
            return
        key, result = executor.next_result()
        if result.status != "running":
            running -= 1
            yield key, result


def with_room(result: TrialResult) -> TrialResult:
    """The same result; raises `DiskFull` where it failed for want of room on a disk."""
    if result.disk_full:
        raise DiskFull(result.reason)
    return result


def timed_out(seconds: float) -> TimeoutError:
    """Why a trial failed that took longer than it may."""
    return TimeoutError(f"the trial took longer than --trial-timeout, {seconds:g} s")
