"""The seam between the search loop and whatever runs trials."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from autoaug.errors import DiskFull, OptionError, UnknownName
from autoaug.result import TrialResult
from autoaug.trial import Setting, Work


@dataclass(frozen=True)
class TrialSpec:
    """Work to do on the task: `key` is the caller's name for it."""

    key: str
    work: Work
    seed: int


class Executor(ABC):
    """Runs trials of one task. The caller keeps up to `slots` submitted, and asks for results until none is left.

    A result that is ``running`` was taken at a rung; the trial goes on when the next result is asked for, unless it
    is cancelled before. Study states are the same under every executor.
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


def with_room(result: TrialResult) -> TrialResult:
    """The same result; raises `DiskFull` where it failed for want of room on a disk."""
    if result.disk_full:
        raise DiskFull(result.reason)
    return result


def timed_out(seconds: float) -> TimeoutError:
    """Why a trial failed that took longer than it may."""
    return TimeoutError(f"the trial took longer than --trial-timeout, {seconds:g} s")


EXECUTORS = ("inline", "ray-tune")


def resolve_executor(name: str, workers: int, ray_address: str | None) -> str:
    """``auto`` as the executor that fits; raises where the one asked for cannot be had."""
    if name == "auto":
        name = "ray-tune" if workers > 1 or ray_address else "inline"
    if name not in EXECUTORS:
        raise UnknownName("executor", name, [*EXECUTORS, "auto"])
    if name == "inline" and (workers > 1 or ray_address):
        raise OptionError(
            f"the inline executor runs one worker on this machine, not {workers}; use --executor ray-tune"
        )
    if name == "ray-tune":
        if importlib.util.find_spec("ray") is None:
            raise OptionError("the ray-tune executor needs Ray: pip install 'autoaug[ray]', or use --workers 1")
        from autoaug.executors.ray_folder import check_ray_folder

        check_ray_folder()
    return name


@contextmanager
def executors(
    name: str, workers: int, device: str, ray_address: str | None, trial_timeout: float | None = None
) -> Iterator[Callable[[Setting], Executor]]:
    """What the executor called `name` (one of `EXECUTORS`) needs, for the length of the block; opens executors for
    one task after another. A trial that takes more than `trial_timeout` seconds is ended, and counts as failed.
    """
    if name == "inline":
        from autoaug.executors.inline import InlineExecutor

        yield lambda task: InlineExecutor(task, trial_timeout)
    else:
        from autoaug.executors.ray_tune import RayTuneExecutor, ray_running

        with ray_running(workers, device, ray_address):
            yield lambda task: RayTuneExecutor(task, workers, trial_timeout)
