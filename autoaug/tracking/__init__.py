"""Who is told what happens in a run: an event log always, and the trackers that the user has, one file each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autoaug.errors import UnknownName
from autoaug.events import EventLog
from autoaug.run_folder import RunFolder
from autoaug.tracking.base import Everyone, Tracker, needed
from autoaug.tracking.mlflow import MLflow
from autoaug.tracking.tensorboard import TensorBoard
from autoaug.tracking.wandb import Wandb

#: The trackers by name, each with the package that it needs; the extras have the same names.
TRACKERS: dict[str, tuple[str, Callable[[RunFolder, dict[str, Any]], Tracker]]] = {
    "tensorboard": ("tensorboardX", TensorBoard),
    "wandb": ("wandb", Wandb),
    "mlflow": ("mlflow", MLflow),
}


def check_trackers(names: Iterable[str]) -> None:
    """Raise `OptionError` where one of the trackers does not exist or its package is not installed."""
    for name in names:
        if name not in TRACKERS:
            raise UnknownName("tracker", name, TRACKERS)
        needed(TRACKERS[name][0], name)


def open_trackers(names: Iterable[str], folder: RunFolder, options: dict[str, Any]) -> list[Tracker]:
    """The event log, and the trackers called `names`."""
    return [EventLog(folder.events), *(TRACKERS[name][1](folder, options) for name in names)]


__all__ = ["TRACKERS", "Everyone", "Tracker", "check_trackers", "open_trackers"]
