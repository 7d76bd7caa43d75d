"""The numbers of a search in detail: what it had reached when, what was drawn, and which worker was busy."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autoaug.policy.models import Policy
from autoaug.results import SearchResult, TrialSummary


class Reached(NamedTuple):
    """The best accuracy so far, in percent, after so much compute, in trainings of full length."""

    trainings: float
    accuracy: float
    name: str


class Curve(NamedTuple):
    """A trial's validation accuracy, in percent, on the way; steps are passes over the data."""

    name: str
    status: str
    points: tuple[tuple[int, float], ...]


class Parallel(NamedTuple):
    """Complete drawn trials trained on one `data_fraction` of the data: for each choice that all of them made the values, and
    the accuracies in percent.
    """

    data_fraction: float
    choices: dict[str, tuple[float | str, ...]]
    accuracies: tuple[float, ...]


class Busy(NamedTuple):
    """A trial on the timeline: on which of the lanes, from when to when, in seconds from the first trial's start."""

    lane: int
    begin: float
    end: float
    name: str
    status: str


class Uniformity(NamedTuple):
    """How far a policy's choice among its operators is from drawing each as often.

    Attributes:
        operators: how many it draws from.
        distance: the total variation distance from the uniform distribution, 0 to 1.
        effective: the exponential of the entropy: how many equally likely operators are as uncertain.
    """

    operators: int
    distance: float
    effective: float


class SafeRange(NamedTuple):
    """The highest strength, as a share of the operator's highest magnitude in the space, at which a model that has
    never seen it keeps 90 % of its accuracy; None where even the lowest measured costs more.
    """

    operator: str
    strength: float | None


_KEPT = 0.9
_MOST_DIMENSIONS = 10


def reached(history: Iterable[TrialSummary], full_length: int) -> dict[float, list[Reached]]:
    """By the share of the data, the best complete trial of the search's own after each that was better."""
    spent, best = 0, dict[float, list[Reached]]()
    for trial in history:
        spent += trial.sample_passes
        if trial.score is None or trial.is_baseline or trial.stop < 1:
            continue
        line = best.setdefault(trial.data_fraction, [])
        if not line or 100 * trial.score > line[-1].accuracy:
            line.append(Reached(spent / full_length, 100 * trial.score, trial.name))
    return best


def curves(history: Iterable[TrialSummary]) -> list[Curve]:
    """The trials with more than one rung."""
    return [
        Curve(t.name, t.status, tuple((step, 100 * value) for step, value in t.curve))
        for t in history
        if len(t.curve) > 1
    ]


def parallel(history: Sequence[TrialSummary]) -> Parallel | None:
    """The largest group of complete drawn trials on one share; None below four, or where they share no choice."""
    groups: dict[float, list[TrialSummary]] = defaultdict(list)
    for trial in history:
        if trial.params and trial.score is not None:
            groups[trial.data_fraction].append(trial)
    data_fraction, trials = max(groups.items(), key=lambda item: len(item[1]), default=(1.0, []))
    common = [name for name in trials[0].params if all(name in t.params for t in trials)] if len(trials) >= 4 else []
    varied = [name for name in common if len({t.params[name] for t in trials}) > 1][:_MOST_DIMENSIONS]
    if not varied:
        return None
    choices = {name: tuple(t.params[name] for t in trials) for name in varied}
    return Parallel(data_fraction, choices, tuple(100 * (t.score or 0.0) for t in trials))


def timeline(history: Iterable[TrialSummary]) -> list[Busy]:
    """Each trial that was trained on the first lane that is free: as many lanes as there were trials side by side."""
    ran = sorted((t for t in history if t.started and t.seconds > 0), key=lambda t: t.started)
    free: list[float] = []
    rows = []
    for trial in ran:
        begin, end = trial.started - ran[0].started, trial.started - ran[0].started + trial.seconds
        lane = next((i for i, stop in enumerate(free) if stop <= begin + 0.01), len(free))
        free[lane : lane + 1] = [end]
        rows.append(Busy(lane, begin, end, trial.name, trial.status))
    return rows


def uniformity(policy: Policy) -> Uniformity | None:
    """Over the layers that choose between operators; None where none does."""
    counts: Counter[str] = Counter()
    for layer in policy.all_layers():
        if len(layer.sub_policies) > 1:
            total = sum(sub_policy.weight for sub_policy in layer.sub_policies)
            for sub_policy in layer.sub_policies:
                for operation in sub_policy.operations:
                    counts[operation.operator] += sub_policy.weight / total / len(sub_policy.operations)  # type: ignore[assignment]
    if len(counts) < 2 or not counts.total():  # none, or none that is ever drawn
        return None
    shares = [count / counts.total() for count in counts.values()]
    entropy = -sum(data_fraction * math.log(data_fraction) for data_fraction in shares if data_fraction)
    return Uniformity(len(counts), sum(abs(s - 1 / len(counts)) for s in shares) / 2, math.exp(entropy))


def safe_ranges(result: SearchResult) -> list[SafeRange]:
    """Operators by how strong they may be; empty where affinity was not measured."""
    looks = result.probes.get("affinity", {}).get("operators", {})
    rows = [
        SafeRange(name, max((strength for strength, kept, _ in found if kept >= _KEPT), default=None))
        for name, found in looks.items()
    ]
    return sorted(rows, key=lambda row: (-(row.strength or 0.0), row.operator))
