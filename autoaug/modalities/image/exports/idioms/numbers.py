"""Numbers as a person writes them."""

from __future__ import annotations


def number(value: float) -> str:
    """At most six digits: 0.01, not 0.010000000000000009."""
    return f"{value:.6g}"


def pair(low: float, high: float) -> str:
    """The ends of a range."""
    return f"({number(low)}, {number(high)})"
