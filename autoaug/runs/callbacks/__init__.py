"""What records the progress of a run: the event log always, and the user's trackers, one per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from autoaug.errors import OptionError, UnknownName, first_line, resume_command
from autoaug.runs.callbacks.base import Broadcast, Guarded, Tracker, needed
from autoaug.runs.callbacks.event_log import EventLog
from autoaug.runs.callbacks.log import Logged
from autoaug.runs.callbacks.mlflow import MLflow
from autoaug.runs.callbacks.tensorboard import TensorBoard
from autoaug.runs.callbacks.wandb import Wandb
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.progress import Progress
from autoaug.utils.redaction import without_secrets

#: The trackers by name, each with the package that it needs. The extras of the package have the same names.
TRACKERS: dict[str, tuple[str, Callable[[RunFolder, dict[str, Any]], Tracker]]] = {
    "tensorboard": ("tensorboardX", TensorBoard),
    "wandb": ("wandb", Wandb),
    "mlflow": ("mlflow", MLflow),
}


@contextmanager
def listening(progress: Progress | bool | None) -> Iterator[Progress]:
    """What is notified of events: the given listener; a bar for True; only the logger ``autoaug`` for None."""
    if progress is True:
        from autoaug.runs.callbacks.console import ConsoleProgress

        with ConsoleProgress() as bar:
            yield bar
    else:
        yield progress or Logged()


def check_trackers(names: Iterable[str]) -> None:
    """Raise `OptionError` if one of the trackers does not exist or its package is not installed."""
    for name in names:
        if name not in TRACKERS:
            raise UnknownName("tracker", name, TRACKERS)
        needed(TRACKERS[name][0], name)


@contextmanager
def open_trackers(config: RunConfig, folder: RunFolder, progress: Progress) -> Iterator[list[Tracker]]:
    """Open the event log and the trackers of a run. A tracker that fails later is switched off, and the reason
    goes to the log and to `progress`. If the block ends by an error or Ctrl-C, they are told.

    Raises:
        OptionError: a tracker cannot start.
    """
    log = EventLog(folder.events)
    others, trackers = Broadcast([log, progress]), list[Tracker]([log])
    try:
        for name in config.track:
            trackers.append(Guarded(name, _opened(name, folder, config), others))
        yield trackers
    except BaseException as error:
        for tracker in trackers:
            tracker.failed(error)
        raise


def _opened(name: str, folder: RunFolder, config: RunConfig) -> Tracker:
    try:
        return TRACKERS[name][1](folder, config.shown(exclude={"space", "policies"}))
    except Exception as fault:  # no server, no key: each library has its own errors
        reason = without_secrets(first_line(fault))
        going_on = resume_command(folder.root, bool(config.named_code))
        raise OptionError(f"--track {name} cannot start ({reason}); fix this and continue with: {going_on}") from None


__all__ = ["TRACKERS", "Broadcast", "Logged", "Tracker", "check_trackers", "listening", "open_trackers"]
