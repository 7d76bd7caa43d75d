"""The findings of a confirmation as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autoaug.evaluation.statistics import FEWEST_SEEDS, verdict_of
from autoaug.results import CandidateKind, Comparison, MetricRecord, SearchResult, Verdict

if TYPE_CHECKING:
    from autoaug.evaluation.comparing import Paired


#: The usual number of seeds.
USUAL_SEEDS = 5
#: What lets a search try more policies, whichever of the three limits it.
LONGER_SEARCH = "a longer search (more --time, --trials or --budget)"


@dataclass(frozen=True)
class Phrases:
    """The words that the sentences of a decision have in common.

    Attributes:
        metric: what is measured.
        split: the split that it is measured on.
        best: how the baseline was chosen.
        after_search: whether there was a search.
        stopped: why it ended early; empty if it did not.
        lost: whether it had policies, and all of them failed in the confirmation.
        bet: how the returned policy was chosen where nothing is proven.
        described: what policies do, by their names; those whose names say it are left out.
    """

    metric: MetricRecord
    split: str = "test"
    best: str = "the best baseline by validation"
    after_search: bool = True
    stopped: str = ""
    lost: bool = False
    bet: str = "the best bet by validation"
    described: Mapping[str, str] = field(default_factory=dict)

    @property
    def finalist(self) -> str:
        """What the finalist is."""
        return "the searched policy" if self.after_search else "the policy"

    def role(self, kind: CandidateKind) -> str:
        """What a candidate of this kind is that the finalist is compared with. Where there was no search, the finalist
        is the best of all by validation, whatever its kind.
        """
        others = "the best of the other policies by validation"
        roles: dict[CandidateKind, str] = {
            "baseline": self.best,
            "control": "the winner of the control search",
            "searched": others,
        }
        return roles[kind] if self.after_search else others

    def named(self, name: str) -> str:
        """The name, after what the policy does if that is known."""
        return f"{self.described[name]} [{name}]" if name in self.described else name


def nothing_found(returned: str, words: Phrases) -> str:
    """The sentence for a search without a policy of its own to compare."""
    why = "the search had no policy of its own that was trained to the end, so nothing is claimed"
    cure = f"; try {LONGER_SEARCH}"
    if words.stopped:
        why, cure = f"the search ended early, because {words.stopped}", ""
    if words.lost:
        why, cure = "all policies of the search failed in the confirmation, so nothing is claimed", ""
    return f"No significant difference: {why}{cure}. Returned is {words.named(returned)}, {words.best}."


def alone(finalist: str, words: Phrases) -> str:
    """The sentence for a finalist without any baseline."""
    why = "no baseline could be trained" if words.after_search else "it was trained alone"
    return f"There is nothing to compare {words.named(finalist)} with, because {why}."


def decided(verdict: Verdict, finalist: str, theirs: str, difference: Paired, words: Phrases) -> str:
    """The sentence for the difference to a baseline, `theirs`, named with its role."""
    ours = f"{words.finalist} {words.named(finalist)}"
    figures = figures_of(difference, words)
    return {
        "better": f"Better: {ours} beats {theirs}, by {figures}.",
        "worse": f"Worse: {ours} is behind {theirs}: {figures}.",
        "no significant difference": f"No significant difference between {ours} and {theirs}: {figures}.",
    }[verdict]


def ahead_of_one(finalist: str, theirs: str, difference: Paired, strongest: tuple[str, Paired], words: Phrases) -> str:
    """The sentence for a finalist that is better than the baseline chosen by validation, `theirs`, named with its role,
    but not clearly better than the strongest one on the test split.
    """
    other, to_strongest = strongest
    return (
        f"No significant difference: {words.finalist} {words.named(finalist)} is ahead of {theirs}, by "
        f"{figures_of(difference, words)}, but not clearly of {words.named(other)}, the strongest by {words.split}: "
        f"{figures_of(to_strongest, words)}."
    )


def cut_short(seeds: int, failed: Sequence[str]) -> str:
    """The sentence for a confirmation that ended at that many seeds, because trainings of these candidates failed."""
    return f"This is the verdict of the first {seeds} seeds, because trainings of {', '.join(failed)} failed on more."


def out_of_time(seeds: int, possible: int) -> str:
    """The sentence for a confirmation that a time limit ended at that many seeds."""
    had = f"{seeds} seed{'s' * (seeds != 1)}"
    return f"This is the verdict of {had}, because the time was up; up to {possible} were planned."


def figures_of(difference: Paired, words: Phrases) -> str:
    """The difference in the metric's unit, with its interval, the number of seeds and the p-value."""
    metric = words.metric
    what = f"{words.split} {metric.name}".strip()
    what = f"{metric.points} of {what}" if metric.points else what
    what += "" if metric.larger_is_better else ", where lower is better"
    seeds = len(difference.differences)
    shown = f"{metric.difference(difference.difference)} {what}"
    if is_vague(difference.differences, difference.ci95):
        return f"{shown} ({seeds} seed{'s' * (seeds > 1)}, too few for an interval)"
    return f"{shown} (95 % interval {_interval(difference.ci95, metric)}, {seeds} seeds, p = {difference.p_value:.2g})"


def is_vague(differences: Sequence[float], ci95: tuple[float, float]) -> bool:
    """Whether seeds are too few for an interval that helps anybody. One that leaves out 0 is a finding all the same."""
    return len(differences) < FEWEST_SEEDS and verdict_of(ci95) == "no significant difference"


def _interval(bounds: tuple[float, float], metric: MetricRecord) -> str:
    """An interval of differences of scores in the metric's unit, the lower value first."""
    low, high = bounds if metric.larger_is_better else bounds[::-1]
    return f"{metric.difference(low)} to {metric.difference(high)}"


def _half_width(score: float, metric: MetricRecord) -> str:
    """Half the width of an interval of scores in the metric's unit."""
    return f"±{metric.difference(score).lstrip('+-')}"


def sureness(comparison: Comparison, metric: MetricRecord) -> str:
    """Which differences could have been seen, what would make the interval narrower, and where it holds."""
    if is_vague(comparison.differences, comparison.ci95):
        return (
            f"Fewer than {FEWEST_SEEDS} seeds cannot tell a difference from luck: pass --seeds {USUAL_SEEDS}. "
            f"{scope(comparison)}"
        )
    half_width = (comparison.ci95[1] - comparison.ci95[0]) / 2
    unit = _unit(metric)
    reach = _half_width(half_width, metric)
    basis = f"{len(comparison.differences)} seeds"
    if comparison.test_groups is not None:
        basis += f" and {comparison.test_groups} groups of test samples"
    begun = f"With {basis}, differences below {reach.removeprefix('±')}{unit} cannot be told from luck here"
    if comparison.seeds_reach is None or comparison.samples_reach is None:
        return f"{begun}; the luck of the test samples is not part of it."
    return (
        f"{begun}: of {reach}{unit}, {_half_width(comparison.seeds_reach, metric)} would go with more seeds, "
        f"{_samples_part(comparison, metric)}. {scope(comparison)}"
    )


def _unit(metric: MetricRecord) -> str:
    """The unit of differences, as it follows a number."""
    return f" {metric.points}" if metric.points else ""


def _samples_part(comparison: Comparison, metric: MetricRecord) -> str:
    """What would shrink the samples' part of the interval."""
    if not comparison.tells_samples:
        return "and the luck of the test samples could not be told apart from the noise of the seeds"
    part = _half_width(comparison.samples_reach or 0.0, metric)
    why = "" if comparison.folds is None else ", because the folds' trainings share samples"
    return f"{part} only with {sample_cure(comparison)}{why}"


def sample_cure(comparison: Comparison) -> str:
    """What alone would shrink the samples' part of the interval."""
    if comparison.folds is not None:
        return "more data"
    return "more test samples" if comparison.test_groups is None else "more groups of test samples"


def claimed(claim: Comparison, metric: MetricRecord) -> str:
    """What is known about the returned policy against another."""
    proven = {"better": "is better than", "worse": "is worse than"}.get(
        verdict_of(claim.ci95), "is not proven to differ from"
    )
    few = is_vague(claim.differences, claim.ci95)
    return (
        f"The returned policy {proven} {claim.baseline} ({claim.against}): {metric.difference(claim.difference)}"
        f"{_unit(metric)}, {'too few seeds for an interval' if few else _interval(claim.ci95, metric)}"
    )


def lengthened(result: SearchResult) -> str:
    """What twice the length gave; empty if it was not tried."""
    longer, metric = result.longer, result.metric
    if not longer:
        return ""
    gained = [(result.candidate(one.candidate).label, metric.difference(one.score - one.before)) for one in longer]
    gains = " and ".join(f"{label} changed by {gain}{_unit(metric)}" for label, gain in gained)
    what = f"test {metric.name}".strip()
    return (
        f"In one training each, twice as long ({longer[0].epochs} epochs), {what} of {gains}. A single training is a "
        "hint, no proof."
    )


def scope(comparison: Comparison) -> str:
    """Where the finding holds."""
    if comparison.folds is None:
        return "This holds for this one split into training and test samples."
    groups = "" if comparison.test_groups is None else ", and each group is in one of them"
    return f"This holds over {comparison.folds} folds of the data{groups}."
