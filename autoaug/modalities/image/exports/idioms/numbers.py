"""Numbers and calls as a person writes them."""

from __future__ import annotations

from collections.abc import Mapping


def number(value: float) -> str:
    """At most six digits: 0.01, not 0.010000000000000009."""
    return f"{value:.6g}"


def pair(low: float, high: float) -> str:
    """The ends of a range."""
    return f"({number(low)}, {number(high)})"


def drawn(kind: str, function: str, p: str, ends: Mapping[str, tuple[float, float]]) -> str:
    """The object of a helper class that applies a function, with the probability `p` and arguments drawn evenly."""
    given = [function, *([f"p={p}"] if p != "1" else []), *(f"{name}={pair(*own)}" for name, own in ends.items())]
    return f"{kind}({', '.join(given)})"
