"""Numbers and choices as a person writes them, for exports in a library's own words."""

from __future__ import annotations

from collections.abc import Sequence

from autoaug.modalities.runtime import Call, Expression


def number(value: float) -> str:
    """At most six digits: 0.01, not 0.010000000000000009."""
    return f"{value:.6g}"


def pair(low: float, high: float) -> str:
    """The ends of a range."""
    return f"({number(low)}, {number(high)})"


def one_of(helper: str, items: Sequence[Expression], weights: Sequence[float], word: str = "p") -> Expression:
    """The object of a class that applies one of the items. It has weights, by that `word`, unless all are equal."""
    even = max(weights) - min(weights) < 1e-9
    return Call(f"{helper}([", items, "])" if even else f"], {word}=[{', '.join(map(number, weights))}])")
