"""Checks of plain numbers, without any library: exported modules of every kind contain them verbatim. They raise
ValueError with a one-line message.
"""

from __future__ import annotations

from typing import Any


def within_rounding(low: float, high: float, most: float = 1.0) -> bool:
    """Whether values from `low` to `high` are in [0, `most`], with a tolerance of 1e-3 for rounding. NaN is not."""
    return low >= -1e-3 and high <= most + 1e-3


def needs_clamp(low: float, high: float) -> bool:
    """Whether samples with values from `low` to `high` must be clamped to [0, 1]: a resize may turn 1 into 1.0000002.

    Raises ValueError if values are further outside than `within_rounding` allows, or not finite.
    """
    if not within_rounding(low, high):
        values = "NaN" if low != low or high != high else f"values from {low:g} to {high:g}"
        raise ValueError(f"the samples have {values}; they must be finite and in [0, 1] (divide 0 … 255 by 255)")
    return low < 0 or high > 1


def in_short(value: Any) -> str:
    """The repr of `value` on one line, shortened: arrays of NumPy and PyTorch take several lines."""
    return " ".join(repr(value).split())[:50]


def check_seed(seed: Any) -> int:
    """`seed` as an int; raises ValueError unless it is a Python or NumPy integer from 0 to 2**64 - 1."""
    try:
        number = -1 if isinstance(seed, bool) else seed.__index__()
    except (AttributeError, TypeError, ValueError):
        number = -1
    if not 0 <= number < 2**64:
        raise ValueError(
            f"the seed is {in_short(seed)}; it must be a whole number from 0 to 2**64 - 1, or None for a fresh one"
        )
    return int(number)


def check_classes(classes: Any) -> int | None:
    """The number of classes as an int, 0 if labels are numbers, or None if it is not given; raises ValueError for
    anything else.
    """
    if classes is None:
        return None
    try:
        number = -1 if isinstance(classes, bool) else classes.__index__()
    except (AttributeError, TypeError, ValueError):
        number = -1
    if number < 0:
        raise ValueError(
            f"the number of classes is {in_short(classes)}; it must be a whole number from 1, 0 for numbers, or None"
        )
    return int(number)
