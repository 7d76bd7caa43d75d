"""The stages of a search, and where its compute went."""

from __future__ import annotations

from typing import NamedTuple

from autoaug.results import MetricRecord, SearchResult


class StageRow(NamedTuple):
    """A stage of the search; `compute` is its share of the total, in percent, and `best` is in the metric's unit."""

    name: str
    trials: int
    data_fraction: str
    compute: float
    best: float | None
    best_name: str


def stages(result: SearchResult, metric: MetricRecord) -> list[StageRow]:
    """The probes, then the stages in the order in which they began."""
    probed = {name: notes["sample_passes"] for name, notes in result.probes.items()}
    total = max(1, sum(t.sample_passes for t in result.history) + sum(probed.values()))
    rows = [StageRow(f"probe: {name}", 0, "", 100 * passes / total, None, "") for name, passes in probed.items()]
    for name in dict.fromkeys(t.stage for t in result.history):
        own = [t for t in result.history if t.stage == name]
        scored = [(t.score, t.label) for t in own if t.score is not None]
        score, best_name = max(scored, key=lambda pair: pair[0], default=(None, ""))
        fractions = " and ".join(f"{100 * fraction:g} %" for fraction in sorted({t.data_fraction for t in own}))
        compute = 100 * sum(t.sample_passes for t in own) / total
        rows.append(
            StageRow(name, len(own), fractions, compute, None if score is None else metric.value(score), best_name)
        )
    return rows
