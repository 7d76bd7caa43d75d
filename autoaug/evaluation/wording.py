"""What is found, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoaug.evaluation.statistics import verdict_of
from autoaug.results import Comparison, LongerTraining, MetricRecord, Verdict

if TYPE_CHECKING:
    from autoaug.evaluation.comparing import Paired


@dataclass(frozen=True)
class Words:
    """How a decision is put: the metric, on which split, what the baseline is among its kind, and whether there was a
    search.
    """

    metric: MetricRecord
    split: str = "test"
    best: str = "the best baseline by validation"
    after_search: bool = True

    @property
    def finalist(self) -> str:
        """What the finalist is."""
        return "the searched policy" if self.after_search else "the policy"


def nothing_found(returned: str, words: Words) -> str:
    """The search had no policy of its own to compare."""
    return (
        "No significant difference: the search had no policy of its own that was trained to the end, so nothing is "
        f"claimed; give it a larger budget. Returned is {returned}, {words.best}."
    )


def decided(verdict: Verdict, finalist: str, baseline: str, found: Paired, words: Words) -> str:
    """What the difference to the `baseline` says."""
    ours, theirs, figures = f"{words.finalist} {finalist}", f"{baseline}, {words.best}", figures_of(found, words)
    return {
        "better": f"Better: {ours} beats {theirs}, by {figures}.",
        "worse": f"Worse: {ours} is behind {theirs}: {figures}.",
        "no significant difference": f"No significant difference between {ours} and {theirs}: {figures}.",
    }[verdict]


def ahead_of_one(finalist: str, baseline: str, found: Paired, strongest: tuple[str, Paired], words: Words) -> str:
    """Better than the baseline that validation chose, but not than the one that is strongest on the test split."""
    other, hardest = strongest
    return (
        f"No significant difference: {words.finalist} {finalist} is ahead of {baseline}, {words.best}, by "
        f"{figures_of(found, words)}, but not clearly of {other}, the strongest by {words.split}: "
        f"{figures_of(hardest, words)}."
    )


def figures_of(found: Paired, words: Words) -> str:
    """The difference in the metric's unit, with what it stands on."""
    metric, factor, digits = words.metric, 1, "+.4g"
    what = f"{words.split} {metric.name}".strip()
    if metric.is_share:
        factor, digits, what = 100, "+.2f", f"points of {what}"
    elif metric.unit:
        what = f"{metric.unit} of {what}"
    low, high = (format(factor * bound, digits) for bound in found.ci95)
    return (
        f"{format(factor * found.difference, digits)} {what} (95 % interval {low} to {high}, "
        f"{len(found.differences)} seeds, p = {found.p_value:.2g})"
    )


def sureness(found: Comparison, metric: MetricRecord) -> str:
    """What difference could have been seen, what would make the interval narrower, and where it holds."""
    half_width = (found.ci95[1] - found.ci95[0]) / 2
    reach, *parts = (
        f"{abs(metric.value(part)):.2f}" for part in (half_width, found.seeds_reach or 0, found.samples_reach or 0)
    )
    unit = f" {metric.points}" if metric.points else ""
    begun = f"With {len(found.differences)} seeds, differences below {reach}{unit} cannot be told from luck here"
    if found.seeds_reach is None or found.samples_reach is None:
        return f"{begun}; the luck of the test samples is not part of it."
    return (
        f"{begun}: of ±{reach}{unit}, ±{parts[0]} would go with more seeds, ±{parts[1]} only with more test samples. "
        f"{scope(found)}"
    )


def claimed(claim: Comparison, metric: MetricRecord) -> str:
    """One thing that is known about the policy that is returned."""
    low, high = metric.interval(claim.ci95)
    proven = {"better": "is better than", "worse": "is worse than"}.get(
        verdict_of(claim.ci95), "is not proven to differ from"
    )
    unit = f" {metric.points}" if metric.points else ""
    return (
        f"{claim.candidate} {proven} {claim.baseline} ({claim.against}): "
        f"{metric.value(claim.difference):+.2f}{unit}, {low:+.2f} to {high:+.2f}"
    )


def lengthened(longer: Sequence[LongerTraining], metric: MetricRecord) -> str:
    """What twice the length gave; empty where it was not tried."""
    if not longer:
        return ""
    unit = f" {metric.points}" if metric.points else ""
    gains = " and ".join(
        f"{training.candidate} would gain {metric.value(training.score - training.before):+.1f}{unit}"
        for training in longer
    )
    hint = "These are single trainings, so take them as a hint."
    return f"Trained twice as long ({longer[0].epochs} epochs), {gains}. {hint}"


def scope(found: Comparison) -> str:
    """Where what is said holds."""
    if found.folds is not None:
        return f"This is over {found.folds} folds of the data."
    return "This is for this split into training and test samples."
