"""Steps by helper classes of the same names for each library, which draw the value of an operator's function."""

from __future__ import annotations

from collections.abc import Mapping

from autoaug.modalities.expressions import number
from autoaug.modalities.operators import get_operator

#: The helper class for each kind of operator.
_CLASSES: Mapping[str, str] = {"samples": "Change", "resized": "Stretch", "response": "Filter", "times": "Timing"}


def step(operator: str, low: float, high: float, probability: float) -> str:
    """The operator applied with a probability and a value drawn evenly between two ends."""
    known = get_operator(operator)
    given = [known.function.__name__, number(low), number(high), *([f"p={number(probability)}"] * (probability < 1))]
    return f"{_CLASSES[known.kind]}({', '.join(given)})"
