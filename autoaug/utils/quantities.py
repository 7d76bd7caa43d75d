"""Numbers, times and sizes as users write them; what cannot be is refused before anything slow is loaded."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable

from autoaug.errors import OptionError

#: More seeds, finalists or workers than this are a typing error.
LARGEST_COUNT = 10_000
#: Seeds are unsigned 32-bit numbers.
LARGEST_SEED = 2**32 - 1

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 10_000 * 86400  # timers have a limit of a few centuries
_BYTES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def counted(count: int, one: str, several: str = "") -> str:
    """A number of things: ``1 line``, ``2 lines``; `several` is the plural that is not made by an s."""
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def duration(seconds: float) -> str:
    """A time in two digits: ``35 seconds``, ``12 minutes``, ``3.5 hours``."""
    for unit, size in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}" if seconds < 10 * size else f"{seconds / size:.0f} {unit}"
    if seconds < 1:
        return "less than a second"
    return "1 second" if round(seconds) == 1 else f"{seconds:.0f} seconds"


def about(seconds: float) -> str:
    """A time that is estimated: ``about 35 seconds``, or ``less than a second``."""
    return f"about {duration(seconds)}" if seconds >= 1 else duration(seconds)


def within(name: str, value: int, least: int, most: int) -> int:
    """The value itself; raises `OptionError` if it is too small or too large."""
    if value < least:
        raise OptionError(f"--{name} {value} must be at least {least}")
    if value > most:
        raise OptionError(f"--{name} {value} must be at most {most}")
    return value


def between(least: int, most: int = LARGEST_COUNT) -> Callable[[str, int], int]:
    """`within` these bounds, as the check of an `Option`."""
    return lambda name, value: within(name, value, least, most)


def check_seed(name: str, seed: int) -> int:
    """The seed itself; raises `OptionError` unless NumPy, scikit-learn and torch all accept it."""
    return within(name, seed, 0, LARGEST_SEED)


def check_positive(name: str, value: float) -> float:
    """The value itself; raises `OptionError` unless it is finite and above 0."""
    if not 0 < value < math.inf:
        raise OptionError(f"--{name} {value} must be above 0")
    return value


def parse_time(name: str, value: str | float) -> float:
    """A time such as ``90s``, ``30m``, ``1h30m`` or ``2d``, or a number of seconds, in seconds."""
    if isinstance(value, str):
        parts = _TIME.findall(value)
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        if "".join(f"{number}{unit}" for number, unit in parts) != value.replace(" ", "") or seconds <= 0:
            raise OptionError(f"--{name} {value!r} must be a time such as 90s, 30m or 1h30m")
    else:
        seconds = check_positive(name, value)
    if seconds > _LONGEST:
        raise OptionError(f"--{name} {value!r} must be at most {_LONGEST // _SECONDS['d']}d")
    return seconds


def parse_multiple(name: str, value: str | float) -> float:
    """A multiple of the compute of one training: text such as ``10x``, or a number."""
    if not isinstance(value, str):
        return check_positive(name, value)
    number = value.removesuffix("x")
    if number == value or not re.fullmatch(r"\d+(\.\d+)?", number) or not 0 < float(number) < math.inf:
        raise OptionError(f"--{name} {value!r} must be a multiple of one training's compute, such as 10x")
    return float(number)


def parse_memory(name: str, value: str | int) -> int:
    """A size such as ``500M``, ``2G`` or a number of bytes, in bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", str(value).strip(), re.IGNORECASE)
    if not match:
        raise OptionError(f"--{name} {value!r} must be a size such as 500M or 2G")
    return int(min(float(match[1]) * _BYTES[match[2].upper()], sys.maxsize))


def parse_lengths(name: str, value: int | str) -> tuple[int, ...]:
    """The lengths of a sample's axes, such as ``64`` or ``96x128``; the first of three is a number of frames. How long
    they may be depends on the modality, whose units these are.
    """
    parts = str(value).lower().split("x")
    if not all(re.fullmatch(r"-?[0-9]+", part) for part in parts):
        raise OptionError(f"--{name} {value!r} must be a number, or numbers joined by x, such as 64 or 96x128")
    least = (1, 4, 4) if len(parts) == 3 else (4,) * len(parts)
    return tuple(within(name, int(part[:30]), low, sys.maxsize) for part, low in zip(parts, least, strict=True))


def at_most_one(**given: object) -> None:
    """Raise `OptionError` if more than one of these options has a value."""
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise OptionError(f"--{names[0]} and --{names[1]} are mutually exclusive; give only one")
