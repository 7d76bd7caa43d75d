"""The sentences of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoaug.policy.models import Policy
from autoaug.results import MetricRecord, SearchResult

#: A remaining shift below this many standard deviations counts as noise.
_WITHIN_NOISE = 3


def shift(result: SearchResult, metric: MetricRecord) -> str | None:
    """The result of two-sample matching as text; None if it was not run."""
    matching = result.probes.get("matching")
    if not matching or "initial" not in matching:
        return None
    before, after, noise = (matching[key] for key in ("initial", "residual", "noise"))
    deviations = f"{after / noise:.1f} standard deviations of its noise" if noise else "no noise"
    if matching["policy"] is None:
        return (
            f"No shift was found between training and validation samples: their discrepancy is {before:.4f}, "
            f"{deviations}, and no operator explains it.{_untried(matching)}"
        )
    names = [operation.operator for operation in Policy.model_validate(matching["policy"]).operations()]
    explain = f"{', '.join(names)} {'explain' if len(names) > 1 else 'explains'}"
    rest = "the rest is within the noise" if after < _WITHIN_NOISE * noise else f"the rest is {deviations}"
    return (
        f"The validation samples differ from the training samples (discrepancy {before:.4f}). {explain} "
        f"{100 * (1 - max(0.0, after) / before):.0f} % of it; {rest}.{_untried(matching)}"
        f"{_with_labels(result, metric, len(names) > 1)}"
    )


def _untried(matching: Mapping[str, Any]) -> str:
    """The operators for which there was no time."""
    names = matching.get("untried")
    return f" Within its share of the budget it could not try {', '.join(names)}." if names else ""


def _with_labels(result: SearchResult, metric: MetricRecord, are_several: bool) -> str:
    """The gain in training from the operators that explain a shift, with each of two seeds."""
    scores = {
        (t.name, t.seed_index): t.score for t in result.history if t.name in {"matched", "none"} and t.data_fraction < 1
    }
    pairs = [(scores.get(("matched", seed)), scores.get(("none", seed))) for seed in (0, 1)]
    gains = [a - b for a, b in pairs if a is not None and b is not None]
    if not gains:
        return ""
    words = " and ".join(metric.number(metric.value(gain), 1, sign="+") for gain in gains)
    they, gain, them = ("they", "gain", "them") if are_several else ("it", "gains", "it")
    outcome = f"the search uses {them}" if min(gains) > 0 else f"the search does not use {them}"
    return f" In trainings on part of the data, {they} {gain} {words} {metric.points}, so {outcome}."
