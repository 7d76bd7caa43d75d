"""What plain numbers may be: functions without any library, which exported code of every kind carries along word for
word. They raise ValueError in one line.
"""

from __future__ import annotations

from typing import Any


def within_rounding(low: float, high: float, most: float = 1.0) -> bool:
    """Whether values from `low` to `high` are in [0, `most`], or outside by no more than arithmetic on floats explains:
    1e-3. NaN is not.
    """
    return low >= -1e-3 and high <= most + 1e-3


def needs_clamp(low: float, high: float) -> bool:
    """Whether samples with values from `low` to `high` must be clamped to [0, 1]: a resize makes 1.0000002 of white.

    Raises ValueError where values are further outside than `within_rounding` allows, or not finite.
    """
    if not within_rounding(low, high):
        values = "NaN" if low != low or high != high else f"values from {low:g} to {high:g}"
        raise ValueError(f"the samples have {values}; they must be finite and in [0, 1] (divide 0 … 255 by 255)")
    return low < 0 or high > 1


def in_short(value: Any) -> str:
    """What `value` is, in one line: the arrays of NumPy and PyTorch have several."""
    return " ".join(repr(value).split())[:50]


def check_seed(seed: Any) -> int:
    """`seed` as an int; raises ValueError unless it is a whole number from 0 to 2**64 - 1, of Python or NumPy."""
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
    """A number of classes, or None where the labels tell; raises ValueError where it is anything else."""
    if classes is None:
        return None
    try:
        number = 0 if isinstance(classes, bool) else classes.__index__()
    except (AttributeError, TypeError, ValueError):
        number = 0
    if number < 1:
        raise ValueError(f"the number of classes is {in_short(classes)}; it must be a whole number from 1, or None")
    return int(number)
