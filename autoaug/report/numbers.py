"""The numbers behind each chart and table, without Plotly: what a test can check and a reader can copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from scipy.stats import spearmanr

from autoaug.policy.models import Policy
from autoaug.results import Candidate, SearchResult, TrialSummary


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
    """A trial of the search; accuracy in percent at its last rung, `data_fraction` of the training split."""

    number: int
    name: str
    status: str
    accuracy: float
    data_fraction: float


class Baseline(NamedTuple):
    """What a baseline scored in the search, in percent, trained on a `data_fraction` of the training split."""

    name: str
    accuracy: float
    data_fraction: float


class Trajectory(NamedTuple):
    """The search: drawn trials, for each share the best so far among its complete ones, and the baselines."""

    drawn: tuple[HistoryPoint, ...]
    best: dict[float, tuple[tuple[int, float], ...]]
    baselines: tuple[Baseline, ...]


class StageRow(NamedTuple):
    """A stage of the search; `compute` is its share of the search's compute, in percent."""

    name: str
    trials: int
    data_fraction: str
    compute: float
    best: float | None
    best_name: str


class FidelityRow(NamedTuple):
    """How well a cheap score ranks policies: Spearman's rank correlation over `policies`."""

    cheap: str
    whole: str
    correlation: float
    policies: int


class FrontPoint(NamedTuple):
    """A trial with several objectives, and whether none is better at all of them."""

    number: int
    name: str
    values: tuple[float, ...]
    is_best: bool


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
            seeds=tuple(100 * value for value in c.test_scores),
            validation=100 * c.validation_mean,
            seconds=c.seconds,
        )
        for c in result.candidates
    ]
    return sorted(rows, key=lambda row: -row.mean)


class ComparedRow(NamedTuple):
    """A candidate of one of several runs; accuracies in percent."""

    run: str
    name: str
    kind: str
    returned: bool
    mean: float
    low: float
    high: float


def compared(names: Sequence[str], results: Sequence[SearchResult]) -> list[ComparedRow]:
    """The candidates of several runs, run by run, the best first."""
    return [
        ComparedRow(name, row.name, row.kind, row.returned, row.mean, row.low, row.high)
        for name, result in zip(names, results, strict=True)
        for row in candidate_rows(result)
    ]


def history(trials: Iterable[TrialSummary]) -> Trajectory:
    """The trials of the search in order."""
    trials = list(trials)
    drawn: list[HistoryPoint] = []
    best: dict[float, list[tuple[int, float]]] = {}
    for trial in trials:
        score = trial.score if trial.score is not None else trial.curve[-1][1] if trial.curve else None
        if trial.is_baseline or score is None:
            continue
        drawn.append(HistoryPoint(trial.number, trial.name, trial.status, 100 * score, trial.data_fraction))
        if trial.score is not None:
            so_far = best.setdefault(trial.data_fraction, [])
            so_far.append((trial.number, max(100 * trial.score, so_far[-1][1] if so_far else 0.0)))
    baselines = tuple(
        Baseline(t.name, 100 * t.score, t.data_fraction) for t in trials if t.is_baseline and t.score is not None
    )
    return Trajectory(tuple(drawn), {data_fraction: tuple(line) for data_fraction, line in best.items()}, baselines)


def stages(result: SearchResult) -> list[StageRow]:
    """The stages in the order in which they began; what probes cost stands first."""
    total = sum(t.sample_passes for t in result.history) + sum(
        found["sample_passes"] for found in result.probes.values()
    )
    rows = [
        StageRow(f"probe: {name}", 0, "", 100 * found["sample_passes"] / max(1, total), None, "")
        for name, found in result.probes.items()
    ]
    for name in dict.fromkeys(t.stage for t in result.history):
        own = [t for t in result.history if t.stage == name]
        best = max((t for t in own if t.score is not None), key=lambda t: t.score or 0.0, default=None)
        shares = " and ".join(f"{100 * data_fraction:g} %" for data_fraction in sorted({t.data_fraction for t in own}))
        compute = 100 * sum(t.sample_passes for t in own) / max(1, total)
        accuracy = None if best is None or best.score is None else 100 * best.score
        rows.append(StageRow(name, len(own), shares, compute, accuracy, best.name if best else ""))
    return rows


def fidelity(result: SearchResult) -> list[FidelityRow]:
    """How well the search's cheap scores ranked: trials on a share of the data against the confirmed accuracies of the
    same policies, and rungs on the way against the same trainings at their end; where there are at least four.
    """
    confirmed = {c.fingerprint: c.validation_mean for c in result.candidates}
    cheap: dict[float, dict[str, list[float]]] = {}
    for t in result.history:
        if t.data_fraction < 1 and t.score is not None and t.fingerprint in confirmed:
            cheap.setdefault(t.data_fraction, {}).setdefault(t.fingerprint, []).append(t.score)
    rows = [
        (
            "trials on " + f"{100 * data_fraction:g} % of the data",
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
        if len(pairs) >= 4 and all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
    ]


def front(result: SearchResult) -> list[FrontPoint]:
    """Complete trials with several objectives; empty where there is one. All but compute are to be maximized."""
    if len(result.objectives) < 2:
        return []
    # Of compute, hundredths of a training are rounding of the number of steps.
    compute = [name == "compute" for name in result.objectives]
    done = [
        (t, [-round(v, 2) if is_cost else v for is_cost, v in zip(compute, t.values, strict=True)])
        for t in result.history
        if t.values
    ]

    def beaten(own: list[float]) -> bool:
        return any(v != own and all(a >= b for a, b in zip(v, own, strict=True)) for _, v in done)

    return [FrontPoint(t.number, t.name, t.values, not beaten(own)) for t, own in done]


class AffinityRow(NamedTuple):
    """What an operator at half its highest strength does to a model that has never seen it: the share of the accuracy
    that is kept on validation samples, and how many times the loss on training samples grows.
    """

    operator: str
    affinity: float
    diversity: float


def affinities(result: SearchResult) -> list[AffinityRow]:
    """Operators by affinity, the best first; empty where it was not measured."""
    found = result.probes.get("affinity", {}).get("operators", {})
    rows = [AffinityRow(name, *next(look[1:] for look in looks if look[0] == 0.5)) for name, looks in found.items()]
    return sorted(rows, key=lambda row: -row.affinity)


def shift(result: SearchResult) -> str | None:
    """What the two-sample matching found, as a sentence; None where it was not asked."""
    found = result.probes.get("matching")
    if not found or "initial" not in found:
        return None
    before, after, noise = (found[key] for key in ("initial", "residual", "noise"))
    deviations = f"{after / noise:.1f} standard deviations of its noise" if noise else "no noise"
    if found["policy"] is None:
        return (
            f"The validation samples are distributed like the training samples: their discrepancy is {before:.4f}, "
            f"{deviations}, and no operator explains it."
        )
    names = ", ".join(operation.operator for operation in Policy.model_validate(found["policy"]).operations())
    gated = {
        (t.name, t.seed_index): t.score
        for t in result.history
        if t.name in {"matched", "none"} and t.data_fraction < 1
    }
    pairs = [(gated.get(("matched", r)), gated.get(("none", r))) for r in (0, 1)]
    gains = [100 * (a - b) for a, b in pairs if a is not None and b is not None]
    gate = ""
    if gains:
        outcome = "passed" if min(gains) > 0 else "not passed"
        gate = f" With labels, on a share of the data, they gain {' and '.join(f'{g:+.1f}' for g in gains)} points"
        gate += f": the gate is {outcome}."
    rest = "what is left is within the noise" if after < 3 * noise else f"unexplained remain {deviations}"
    return (
        f"The validation samples differ from the training samples (discrepancy {before:.4f}). {names} explain "
        f"{100 * (1 - max(0.0, after) / before):.0f} % of it; {rest}.{gate}"
    )


def importance(result: SearchResult) -> list[tuple[str, float]]:
    """Choices by the share of the accuracy's variance that they explain, largest first."""
    return sorted(result.importance.items(), key=lambda item: -item[1])


def failures(trials: Iterable[TrialSummary]) -> list[tuple[str, int]]:
    """Causes of failed trials, most frequent first."""
    return Counter(t.reason for t in trials if t.status == "failed").most_common()


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
        ("Energy of the processors", "not told by them" if cost.energy is None else f"{cost.energy:.2f} Wh"),
        ("Run folder", f"{cost.run_bytes / 2**20:.1f} MiB"),
    ]
    return (
        rows
        if result.history
        else [row for row in rows if row[0] in {"Confirmation", "Run folder", "Energy of the processors"}]
    )


_BALANCED = (("classes", "Samples of a class"), ("groups", "Samples of a group, that of the nearest training sample"))
_JUDGED = (
    ("fid", "FID"),
    ("kid", "KID"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("density", "density"),
    ("coverage", "coverage"),
    ("memorized", "share of copies"),
)


class GeneratedRow(NamedTuple):
    """A generator of the run: what the sample filter did with its samples, the least and most samples of a class before and
    after it, and what it took.
    """

    kind: str
    sample_filter: tuple[tuple[str, int], ...]
    balance: tuple[tuple[str, str, str], ...]
    judged: tuple[tuple[str, str], ...]
    fitting: str
    sampling: str
    size: str
    failed: str


def generated(result: SearchResult) -> list[GeneratedRow]:
    """The generators that the run used, or tried to."""
    rows = []
    for kind, facts in result.generated.items():
        if "failed" in facts:
            rows.append(GeneratedRow(kind, (), (), (), duration(facts["seconds"]), "", "", facts["failed"]))
            continue
        balance = tuple(
            (what, _least_and_most(facts[f"{key}_before"]), _least_and_most(facts[f"{key}_after"]))
            for key, what in _BALANCED
            if f"{key}_before" in facts
        )
        judged = facts.get("judged", {})
        rows.append(
            GeneratedRow(
                kind=kind,
                sample_filter=tuple(facts["sample_filter"].items()),
                balance=balance,
                judged=tuple((words, f"{judged[key]:.3g}") for key, words in _JUDGED if key in judged),
                fitting=duration(facts["seconds"]),
                sampling=duration(facts["sampling_seconds"]),
                size=f"{facts['bytes'] / 2**20:.1f} MiB",
                failed="",
            )
        )
    return rows


def _least_and_most(counts: list[int]) -> str:
    return f"{min(counts)} to {max(counts)}"


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
