"""The numbers behind each chart and table, without Plotly: what a test can check and a reader can copy."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from autoaug.result import Candidate, SearchResult


class CandidateRow(NamedTuple):
    """A confirmed candidate; accuracies in percent."""

    name: str
    kind: str
    returned: bool
    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]
    validation: float
    seconds: float


class HistoryPoint(NamedTuple):
    """A trial of the search; accuracy in percent at its last rung."""

    number: int
    name: str
    status: str
    accuracy: float
    passes: int


class History(NamedTuple):
    """The search: drawn trials, the best so far among the complete ones, and the baselines' scores, in percent."""

    drawn: tuple[HistoryPoint, ...]
    best: tuple[tuple[int, float], ...]
    baselines: tuple[tuple[str, float], ...]


class ClassRow(NamedTuple):
    """Accuracy on one class without augmentation and with the policy, in percent."""

    name: str
    before: float
    after: float


class Classes(NamedTuple):
    """Accuracies per class, and between which two candidates."""

    before: str
    after: str
    rows: tuple[ClassRow, ...]


def candidate_rows(result: SearchResult) -> list[CandidateRow]:
    """Candidates from the best test mean to the worst."""
    rows = [
        CandidateRow(
            name=c.name,
            kind=c.kind,
            returned=c.name == result.returned.name,
            mean=100 * c.mean,
            low=100 * c.ci95[0],
            high=100 * c.ci95[1],
            seeds=tuple(100 * value for value in c.test_accuracy),
            validation=100 * c.validation_mean,
            seconds=c.seconds,
        )
        for c in result.candidates
    ]
    return sorted(rows, key=lambda row: -row.mean)


def history(result: SearchResult) -> History:
    """The trials of the search in order."""
    drawn, best, highest = [], [], 0.0
    for trial in result.history:
        if trial.is_baseline or not trial.curve:
            continue
        drawn.append(HistoryPoint(trial.number, trial.name, trial.status, 100 * trial.curve[-1][1], trial.passes))
        if trial.accuracy is not None:
            highest = max(highest, 100 * trial.accuracy)
        if highest:
            best.append((trial.number, highest))
    baselines = tuple((t.name, 100 * t.accuracy) for t in result.history if t.is_baseline and t.accuracy is not None)
    return History(tuple(drawn), tuple(best), baselines)


def classes(result: SearchResult) -> Classes | None:
    """Per class: training without augmentation (else the weakest baseline) against the returned policy, or, where
    those are the same, against the best searched one.
    """
    before = next((c for c in result.candidates if c.name == "none"), None) or min(
        result.candidates, key=lambda c: c.mean
    )
    after = result.candidate(result.returned.name)
    if after.name == before.name:
        others = [c for c in result.candidates if c.name != before.name]
        if not others:
            return None
        after = max(others, key=lambda c: (c.kind == "searched", c.validation_mean))
    rows = [
        ClassRow(name, 100 * old, 100 * new)
        for name, old, new in zip(result.data.classes, before.class_accuracy, after.class_accuracy, strict=True)
    ]
    return Classes(before.name, after.name, tuple(sorted(rows, key=lambda row: row.after - row.before)))


def importance(result: SearchResult) -> list[tuple[str, float]]:
    """Choices by the share of the accuracy's variance that they explain, largest first."""
    return sorted(result.importance.items(), key=lambda item: -item[1])


def failures(result: SearchResult) -> list[tuple[str, int]]:
    """Causes of failed trials, most frequent first."""
    return Counter(t.reason for t in result.history if t.status == "failed").most_common()


def costs(result: SearchResult) -> list[tuple[str, str]]:
    """What the run took, in words."""
    cost, counts = result.cost, result.trials
    rows = [
        ("Trials", f"{counts.complete} complete, {counts.pruned} pruned, {counts.failed} failed"),
        ("Search", duration(cost.search_seconds)),
        ("Confirmation", duration(cost.confirmation_seconds)),
        ("Compute of the trials", duration(cost.trial_compute_seconds)),
        ("Overhead of the search", f"{100 * cost.overhead_fraction:.1f} % of the workers' time"),
        ("Augmentation", f"{duration(cost.augmentation_seconds)} of the trials' compute"),
        ("Samples seen in trials", f"{cost.samples_seen:,}"),
        ("Run folder", f"{cost.run_bytes / 2**20:.1f} MiB"),
    ]
    return rows if result.history else [row for row in rows if row[0] in {"Confirmation", "Run folder"}]


def duration(seconds: float) -> str:
    """``1 h 02 min``, ``3 min 20 s`` or ``4.2 s``."""
    minutes, rest = divmod(seconds, 60)
    if minutes >= 60:
        return f"{int(minutes // 60)} h {int(minutes % 60):02d} min"
    return f"{int(minutes)} min {round(rest):02d} s" if minutes else f"{seconds:.1f} s"


def power_note(result: SearchResult) -> str:
    """What difference this confirmation could have seen: half the width of the paired interval."""
    if result.comparison is None:
        return ""
    low, high = result.comparison.ci95
    seeds, reach = len(result.comparison.differences), 50 * (high - low)
    return f"With {seeds} seeds, differences below {reach:.1f} points cannot be told from luck here."


def finalist(result: SearchResult) -> Candidate | None:
    """The candidate that the verdict is about."""
    return None if result.comparison is None else result.candidate(result.comparison.candidate)
