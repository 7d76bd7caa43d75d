"""Choose and open executors by name."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from autoaug.errors import OptionError, UnknownName, typed_line
from autoaug.search.executors.base import Executor

if TYPE_CHECKING:
    from autoaug.training.setting import Setting

EXECUTORS = ("inline", "ray-tune")

NO_RAY = "Ray is not installed (pip install 'ray[tune]')"
_WITHOUT_RAY = "use --workers 1, which needs no Ray"


def resolve_executor(name: str, workers: int, ray_address: str | None, device: str) -> str:
    """Replace ``auto`` by a suitable executor; raise `OptionError` if the named one cannot be used with the rest."""
    if name == "auto":
        name = "ray-tune" if workers > 1 or ray_address else "inline"
    if name not in EXECUTORS:
        raise UnknownName("executor", name, [*EXECUTORS, "auto"])
    if name == "inline" and (workers > 1 or ray_address):
        given = f"not {workers}" if workers > 1 else "not on a cluster"
        raise OptionError(f"the inline executor runs one worker on this machine, {given}; use --executor ray-tune")
    if name == "ray-tune":
        if ":" in device:
            raise OptionError(
                f"--device {device}: Ray gives each worker its own GPUs; use --device cuda, and set "
                "CUDA_VISIBLE_DEVICES to choose GPUs"
            )
        if not has_ray():
            raise OptionError(f"the ray-tune executor cannot be used: {NO_RAY}; {_WITHOUT_RAY}")
        from autoaug.search.executors.ray_folder import check_ray_folder

        check_ray_folder()
    return name


def has_ray() -> bool:
    """Whether Ray is installed."""
    return importlib.util.find_spec("ray") is not None


def load_executor(name: str) -> None:
    """Import what the executor needs, which for Ray takes seconds. Raises `OptionError` if it cannot be imported."""
    if name != "ray-tune":
        return
    try:
        import autoaug.search.executors.ray_tune  # noqa: F401 (all of Ray that is needed)
    except Exception as fault:  # whatever a broken installation raises
        raise OptionError(
            f"Ray is installed, but cannot be imported ({typed_line(fault)}); install it again; or {_WITHOUT_RAY}"
        ) from None


@contextmanager
def executors(
    name: str, workers: int, device: str, ray_address: str | None, trial_timeout: float | None = None
) -> Iterator[Callable[[Setting], Executor]]:
    """Provide what the executor `name` (one of `EXECUTORS`) needs during the block; yield a function that opens an
    executor for a setting, one at a time. A trial that takes more than `trial_timeout` seconds is ended, and counts as
    failed.
    """
    if name == "inline":
        from autoaug.search.executors.inline import InlineExecutor

        yield lambda setting: InlineExecutor(setting, trial_timeout)
    else:
        load_executor(name)
        from autoaug.search.executors.ray_cluster import ray_running
        from autoaug.search.executors.ray_tune import RayTuneExecutor
        from autoaug.search.executors.ray_workers import RayWorkers

        with ray_running(workers, device, ray_address), closing(RayWorkers(workers, device, trial_timeout)) as warm:
            yield lambda setting: RayTuneExecutor(setting, warm)
