"""The interface between the search loop and whatever runs trials."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from autoaug.errors import DiskFull

if TYPE_CHECKING:  # Ray's mailbox works without torch
    from autoaug.training.result import TrialResult
    from autoaug.training.setting import Work


@dataclass(frozen=True)
class TrialSpec:
    """Work to do in the setting, under a `key` that the caller chooses."""

    key: str
    work: Work
    seed: int


class Executor(ABC):
    """Runs the trials of one setting. The caller keeps up to `slots` trials submitted and takes results until none is
    left.

    A ``running`` result comes from a rung; the trial continues when the next result is taken, unless it is canceled
    first. Study states are the same under every executor.
    """

    slots: int

    @abstractmethod
    def submit(self, spec: TrialSpec) -> None:
        """Queue a trial."""

    @abstractmethod
    def next_result(self) -> tuple[str, TrialResult]:
        """Wait for the next result, running or final; return it with its key. Raises `DiskFull` if the trial failed on
        a full disk: the next ones would too.
        """

    @abstractmethod
    def cancel(self) -> None:
        """End the trial that gave the last running result; it gives no further result."""

    @abstractmethod
    def close(self) -> None:
        """Stop all trials and release all resources."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run_all(executor: Executor, specs: Iterable[TrialSpec]) -> Iterator[tuple[str, TrialResult]]:
    """Run all `specs`, as many at a time as the executor has slots, and yield each final result as soon as it is
    available.
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


def unless_disk_full(result: TrialResult) -> TrialResult:
    """The same result; raises `DiskFull` if the trial failed on a full disk."""
    if result.disk_full:
        raise DiskFull(result.reason)
    return result


def timed_out(seconds: float) -> TimeoutError:
    """The error of a trial that exceeded its time limit."""
    return TimeoutError(f"the trial took longer than --trial-timeout, {seconds:g} s")
