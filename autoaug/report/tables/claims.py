"""What is proven about the returned policy."""

from __future__ import annotations

from typing import NamedTuple

from autoaug.evaluation.statistics import verdict_of
from autoaug.evaluation.wording import is_vague
from autoaug.results import Comparison, MetricRecord, SearchResult, Verdict

#: What the verdict of a claim means, in a word or two.
_PROVEN: dict[Verdict, str] = {"better": "better", "worse": "worse", "no significant difference": "not proven"}


class ClaimRow(NamedTuple):
    """The returned policy against another; values in the metric's unit, the parts of half the interval's width as
    well. Of too few seeds, no interval is shown.
    """

    against: str
    name: str
    difference: float
    low: float
    high: float
    by_seeds: float
    by_samples: float
    proven: str
    has_interval: bool


def claim_rows(result: SearchResult, metric: MetricRecord) -> list[ClaimRow]:
    """A row per claim, in the order of the result."""
    return [_row(claim, metric) for claim in result.claims]


def _row(claim: Comparison, metric: MetricRecord) -> ClaimRow:
    low, high = metric.interval(claim.ci95)
    return ClaimRow(
        against=claim.against,
        name=claim.baseline,
        difference=metric.value(claim.difference),
        low=low,
        high=high,
        by_seeds=abs(metric.value(claim.seeds_reach or 0.0)),
        by_samples=abs(metric.value(claim.samples_reach or 0.0)) if claim.tells_samples else 0.0,
        proven=_PROVEN[verdict_of(claim.ci95)],
        has_interval=not is_vague(claim.differences, claim.ci95),
    )
