"""Parse and check option values, before anything is written."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
from dataclasses import fields
from pathlib import Path
from typing import Literal

import psutil

from autoaug.errors import OptionError
from autoaug.modalities.base import Reading
from autoaug.search.budget import Budget
from autoaug.search.executors import has_ray
from autoaug.utils.files import is_text
from autoaug.utils.options import Options, option_of
from autoaug.utils.quantities import LARGEST_COUNT, parse_lengths, parse_memory, parse_multiple, parse_time, within

_PACKAGES = ("autoaug", "torch", "torchvision", "kornia", "optuna", "ray", "numpy", "scipy", "scikit-learn", "plotly")

#: The default budget of a search, as a multiple of the compute of one training.
DEFAULT_TRAININGS = 20.0
#: From this many seeds on, more are added until the result is clear, up to the second number.
_ADDED_FROM, _MOST_SEEDS = 5, 16


def parse_budget(trials: int | None, time: str | float | None, budget: str | float | None) -> Budget:
    """The budget: a number of trials, a time such as ``30m`` or ``1h30m``, or a compute such as ``10x``. At most one of
    them is given; without any, it is `DEFAULT_TRAININGS`.
    """
    if trials is not None:
        return Budget(policies=trials)
    if time is not None:
        return Budget(seconds=parse_time("time", time))
    return Budget(trainings=DEFAULT_TRAININGS if budget is None else parse_multiple("budget", budget))


def parse_reading(
    size: int | str | None, how: Literal["crop", "letterbox", "squash"], protect: str | Path | None
) -> Reading:
    """How samples are read: resized to a size such as ``64`` or ``96x128``, with words of a file to `protect`."""
    words = "" if protect is None else absolute(protect)
    return Reading(() if size is None else parse_lengths("size", size), how, words)


def memory_limit(value: str | int | None) -> int:
    """The bytes of data that are kept in memory; by default, half of the free ones."""
    return int(psutil.virtual_memory().available // 2) if value is None else parse_memory("memory-limit", value)


def seed_counts(first: int, most: int | None, folds: int | None) -> tuple[int, int]:
    """The first and the highest number of seeds of a confirmation.

    With few first seeds, the user wants a short confirmation, so no seeds are added unless `most` is given. With folds,
    seeds come in whole rounds, in which each fold is tested once: `first` is rounded up, but never above a given
    `most`, which is rounded down.

    Raises:
        OptionError: `most` is less than `first`, too large, or not enough for one round.
    """
    if most is not None:
        within("max-seeds", most, first, LARGEST_COUNT)
    highest = most or (max(first, _MOST_SEEDS) if first >= _ADDED_FROM else first)
    if folds is None:
        return first, highest
    if most is not None and most < folds:
        raise OptionError(
            f"--max-seeds {most} must be at least {folds}, because --folds {folds} tests each fold with another seed; "
            "pass more seeds, or fewer folds"
        )
    first, highest = folds * math.ceil(first / folds), folds * (highest // folds)
    return (first, max(first, highest)) if most is None else (min(first, highest), highest)


def default_workers(device: str, executor: str, ray_address: str | None) -> int:
    """One worker per CPU core if Ray is installed; one worker on a GPU or without Ray."""
    if executor == "inline" or (device.startswith("cuda") and not ray_address) or not has_ray():
        return 1
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that a result depends on."""
    installed = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def absolute(data: str | Path) -> str:
    """The absolute path, so that a run can be resumed from another folder; names are kept."""
    return writable("the path", str(Path(data).resolve() if Path(data).exists() else data))


def writable(what: str, text: str) -> str:
    """The text itself; raises `OptionError` if it cannot be written to a file: it is not UTF-8, or has a NUL."""
    if not is_text(text):
        raise OptionError(f"{what} {text!r} is not UTF-8 text; rename it, or choose another")
    return text


def check_texts(options: Options) -> None:
    """Raise `OptionError` for an option whose text cannot be written to a file, since all options are recorded. The
    name of the data is checked when they are opened.
    """
    for field in fields(options):
        if option_of(field) is None or field.name == "data":
            continue
        value = getattr(options, field.name)
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str | Path):
                writable(f"--{field.name.replace('_', '-')}", str(text))
