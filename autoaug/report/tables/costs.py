"""The cost of a run, and the failures in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from autoaug.results import SearchResult, TrialSummary
from autoaug.utils.quantities import duration


def costs(result: SearchResult) -> list[tuple[str, str]]:
    """The cost of the run as text; for a comparison, without the rows about a search."""
    cost, counts = result.cost, result.trials
    confirmation = ("Confirmation", duration(cost.confirmation_seconds))
    energy = ("Energy of the processors", "not reported" if cost.energy is None else f"{cost.energy:.2f} Wh")
    size = ("Run folder", f"{cost.run_bytes / 2**20:.1f} MiB")
    if not result.history:
        return [confirmation, energy, size]
    return [
        ("Trials", f"{counts.complete} complete, {counts.pruned} pruned, {counts.failed} failed"),
        ("Search", duration(cost.search_seconds)),
        confirmation,
        ("Compute of the trials", duration(cost.trial_compute_seconds)),
        ("Overhead of the search", f"{100 * cost.overhead_fraction:.1f} % of the workers' time"),
        ("Augmentation", f"{duration(cost.augmentation_seconds)} of the trials' compute"),
        ("Samples seen in trials", f"{cost.samples_seen:,}"),
        energy,
        size,
    ]


def failures(trials: Iterable[TrialSummary]) -> list[tuple[str, int]]:
    """Causes of failed trials, most frequent first."""
    return Counter(t.reason for t in trials if t.status == "failed").most_common()
