"""Parse and check option values, before anything is written."""

from __future__ import annotations

import importlib.metadata
import math
import os
import platform
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Literal

import psutil

from autoaug.errors import OptionError
from autoaug.modalities.base import Reading
from autoaug.runs.config import LARGEST_COUNT
from autoaug.search.budget import Budget
from autoaug.search.executors import ray_fault
from autoaug.utils.files import is_text
from autoaug.utils.options import Options, option_of

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 10_000 * 86400  # timers have a limit of a few centuries
_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_PACKAGES = ("autoaug", "torch", "torchvision", "kornia", "optuna", "ray", "numpy", "scipy", "scikit-learn", "plotly")

#: Seeds are unsigned 32-bit numbers.
LARGEST_SEED = 2**32 - 1
#: The default budget of a search, as a multiple of the compute of one training.
DEFAULT_TRAININGS = 20.0
#: From this many seeds on, more are added until the result is clear, up to the second number.
_ADDED_FROM, _MOST_SEEDS = 5, 16


def parse_budget(trials: int | None, time: str | None, budget: str | None) -> Budget:
    """The budget: a number of trials, a time such as ``30m`` or ``1h30m``, or a compute such as ``10x``. At most one of
    them may be given; without any, it is `DEFAULT_TRAININGS`.
    """
    given = [name for name, value in (("trials", trials), ("time", time), ("budget", budget)) if value is not None]
    if len(given) > 1:
        raise OptionError(f"--{given[0]} and --{given[1]} are mutually exclusive; give only one")
    if trials is not None:
        within("trials", trials, 1, 10**9)
        return Budget(policies=trials)
    if time is not None:
        return Budget(seconds=parse_time(time))
    if budget is not None:
        number = budget.removesuffix("x")
        if number == budget or not re.fullmatch(r"\d+(\.\d+)?", number) or not 0 < float(number) < math.inf:
            raise OptionError(f"--budget {budget!r} must be a multiple of one training's compute, such as 10x")
        return Budget(trainings=float(number))
    return Budget(trainings=DEFAULT_TRAININGS)


def parse_time(text: str, option: str = "time") -> float:
    """A time such as ``90s``, ``30m``, ``1h30m`` or ``2d`` in seconds."""
    parts = _TIME.findall(text)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if "".join(f"{number}{unit}" for number, unit in parts) != text.replace(" ", "") or seconds <= 0:
        raise OptionError(f"--{option} {text!r} must be a time such as 90s, 30m or 1h30m")
    if seconds > _LONGEST:
        raise OptionError(f"--{option} {text!r} must be at most {_LONGEST // _SECONDS['d']}d")
    return seconds


def check_seed(seed: int) -> int:
    """The seed itself; raises `OptionError` unless NumPy, scikit-learn and torch all accept it."""
    return within("seed", seed, 0, LARGEST_SEED)


def parse_reading(
    size: int | str | None, how: Literal["crop", "letterbox", "squash"], protect: str | Path | None
) -> Reading:
    """How samples are read; raises `OptionError` if they cannot be resized to that size, such as ``64`` or ``96x128``.
    `protect` is a file.
    """
    words = "" if protect is None else absolute(protect)
    if size is None:
        return Reading(how=how, protect=words)
    parts = str(size).lower().split("x")
    if not all(re.fullmatch(r"-?[0-9]+", part) for part in parts):
        raise OptionError(f"--size {size!r} must be a number, or numbers joined by x, such as 64 or 96x128")
    return Reading(tuple(within("size", int(part[:30]), 4, 2**13) for part in parts), how, words)


def parse_memory(text: str | None) -> int:
    """A size such as ``500M``, ``2G`` or a number of bytes, in bytes; None is half of the free memory."""
    if text is None:
        return int(psutil.virtual_memory().available // 2)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if not match:
        raise OptionError(f"--memory-limit {text!r} must be a size such as 500M or 2G")
    return int(min(float(match[1]) * _BYTES[match[2].upper()], sys.maxsize))


def at_least(name: str, value: int, least: int) -> int:
    """The value itself; raises `OptionError` if it is too small."""
    if value < least:
        raise OptionError(f"--{name} {value} must be at least {least}")
    return value


def within(name: str, value: int, least: int, most: int) -> int:
    """The value itself; raises `OptionError` if it is too small or too large."""
    if at_least(name, value, least) > most:
        raise OptionError(f"--{name} {value} must be at most {most}")
    return value


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
    """One worker per CPU core if Ray can be used; one worker on a GPU or without Ray."""
    if executor == "inline" or (device.startswith("cuda") and not ray_address) or ray_fault():
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
