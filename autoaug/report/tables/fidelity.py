"""How well cheap scores rank policies."""

from __future__ import annotations

from statistics import fmean
from typing import NamedTuple

from scipy.stats import spearmanr

from autoaug.results import SearchResult

#: The fewest pairs for a meaningful correlation.
_FEWEST = 4


class FidelityRow(NamedTuple):
    """How well a cheap score ranks policies: Spearman's rank correlation over `policies`."""

    cheap: str
    whole: str
    correlation: float
    policies: int


def fidelity(result: SearchResult) -> list[FidelityRow]:
    """How well the search's cheap scores rank policies: trials on part of the data against the confirmed scores of the
    same policies, and intermediate rungs against the final scores of the same trainings; only with at least four pairs.
    """
    confirmed = {c.fingerprint: c.validation_mean for c in result.candidates}
    cheap: dict[float, dict[str, list[float]]] = {}
    for t in result.history:
        if t.data_fraction < 1 and t.score is not None and t.fingerprint in confirmed:
            cheap.setdefault(t.data_fraction, {}).setdefault(t.fingerprint, []).append(t.score)
    rows = [
        (
            f"trials on {100 * data_fraction:g} % of the data",
            "confirmation",
            [(fmean(values), confirmed[fingerprint]) for fingerprint, values in by_policy.items()],
        )
        for data_fraction, by_policy in cheap.items()
    ]
    ended = [t for t in result.history if t.score is not None and len(t.curve) > 1]
    for data_fraction in sorted({t.data_fraction for t in ended}):
        pairs = [(t.curve[0][1], t.curve[-1][1]) for t in ended if t.data_fraction == data_fraction]
        rows.append((f"half of a training on {100 * data_fraction:g} % of the data", "its end", pairs))
    return [
        FidelityRow(cheap_name, whole, float(spearmanr(*zip(*pairs, strict=True)).statistic), len(pairs))
        for cheap_name, whole, pairs in rows
        if len(pairs) >= _FEWEST and all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
    ]
