"""Which executor carries out trials."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autoaug.errors import OptionError, UnknownName
from autoaug.search.executors.base import Executor
from autoaug.training.setting import Setting

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
        from autoaug.search.executors.ray_folder import check_ray_folder

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
        from autoaug.search.executors.inline import InlineExecutor

        yield lambda task: InlineExecutor(task, trial_timeout)
    else:
        from autoaug.search.executors.ray_tune import RayTuneExecutor, ray_running

        with ray_running(workers, device, ray_address):
            yield lambda task: RayTuneExecutor(task, workers, trial_timeout)
