"""The effect of each operator on a model trained without it."""

from __future__ import annotations

from typing import NamedTuple

from autoaug.results import SearchResult

#: The fraction of its accuracy that a model keeps at a label-safe strength.
_KEPT = 0.9


class AffinityRow(NamedTuple):
    """The effect of an operator at half its highest strength on a model trained without it: the fraction of accuracy
    that is kept on validation samples, and the factor by which the loss on training samples grows. `label_safe` tells
    the highest strength, as a fraction of the operator's highest magnitude in the space, at which the model keeps 90 %
    of its accuracy: ``none`` if it keeps less even at the lowest measured strength.
    """

    operator: str
    affinity: float
    diversity: float
    label_safe: str


def affinities(result: SearchResult) -> list[AffinityRow]:
    """Operators by affinity, highest first; empty if it was not measured."""
    rows = []
    for name, measurements in result.probes.get("affinity", {}).get("operators", {}).items():
        kept, growth = next((kept, growth) for strength, kept, growth in measurements if strength == 0.5)
        safe = max((strength for strength, kept, _ in measurements if kept >= _KEPT), default=None)
        rows.append(AffinityRow(name, kept, growth, "none" if safe is None else f"up to {safe:g}"))
    return sorted(rows, key=lambda row: -row.affinity)
