"""All metrics of the candidates, whichever was asked for."""

from __future__ import annotations

from typing import NamedTuple

from autoaug.evaluation.statistics import FEWEST_SEEDS
from autoaug.results import Candidate, MetricValues, SearchResult


class MetricRow(NamedTuple):
    """A candidate's metrics on the test samples, each with its 95 % interval, and what they are called."""

    name: str
    heads: tuple[str, ...]
    values: tuple[tuple[str, str], ...]


def metric_rows(result: SearchResult) -> list[MetricRow]:
    """A row per candidate, with the metrics that all of them have; empty in older results."""
    known = [name for name in result.candidates[0].metrics if all(name in c.metrics for c in result.candidates)]
    return [_row(candidate, known) for candidate in result.candidates] if known else []


def _row(candidate: Candidate, names: list[str]) -> MetricRow:
    own = [candidate.metrics[name] for name in names]
    return MetricRow(
        candidate.label,
        tuple(one.metric.title() for one in own),
        tuple(_words(one, len(candidate.seeds)) for one in own),
    )


def _words(own: MetricValues, seeds: int) -> tuple[str, str]:
    """The mean and its interval in the metric's unit, such as ``97.20`` and ``96.10 to 98.30``: empty for few seeds."""
    scale = own.metric.scale
    mean, low, high = (own.metric.number(scale * value) for value in (own.mean, *own.ci95))
    return mean, f"{low} to {high}" if seeds >= FEWEST_SEEDS else ""
