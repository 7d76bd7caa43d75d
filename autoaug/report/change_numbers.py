"""The numbers of what a policy changed: seed by seed, class by class, and which classes are taken for which."""

from __future__ import annotations

from typing import NamedTuple

from autoaug.evaluation.statistics import estimate
from autoaug.results import Candidate, Robustness, SearchResult


class ClassRow(NamedTuple):
    """Accuracy on one class without augmentation and with the policy, in percent, and the 95 % interval of the paired
    difference over the seeds that both share; None where they share fewer than two.
    """

    name: str
    before: float
    after: float
    ci95: tuple[float, float] | None


class Classes(NamedTuple):
    """Accuracies per class, and between which two candidates."""

    before: str
    after: str
    rows: tuple[ClassRow, ...]


class Confusion(NamedTuple):
    """Of each class (a row) the share in percent that is taken for each class, before and after."""

    classes: tuple[str, ...]
    before: tuple[tuple[float, ...], ...]
    after: tuple[tuple[float, ...], ...]


class Difference(NamedTuple):
    """One seed of the comparison that the verdict stands on: test accuracies in percent."""

    seed: int
    candidate: float
    baseline: float
    difference: float


_MOST_CLASSES = 40


def corrupted(found: Robustness) -> dict[str, tuple[float, ...]]:
    """Accuracy in percent on clean samples and at severities 1 to 5, for each corruption and the ``mean`` of all."""
    lines = {name: (100 * found.clean, *(100 * value for value in values)) for name, values in found.corrupted.items()}
    mean = tuple(sum(values) / len(lines) for values in zip(*lines.values(), strict=True))
    return {**dict(sorted(lines.items(), key=lambda line: -line[1][-1])), "mean": mean}


def before_and_after(result: SearchResult) -> tuple[Candidate, Candidate] | None:
    """Training without augmentation (else the weakest baseline), and the returned policy, or, where those are the same,
    the best searched one; None where there is no second.
    """
    before = next((c for c in result.candidates if c.name == "none"), None) or min(
        result.candidates, key=lambda c: c.mean
    )
    after = result.candidate(result.returned.name)
    if after.name != before.name:
        return before, after
    others = [c for c in result.candidates if c.name != before.name]
    return (before, max(others, key=lambda c: (c.kind == "searched", c.validation_mean))) if others else None


def classes(result: SearchResult) -> Classes | None:
    """Per class with test samples, what lost most first."""
    pair = before_and_after(result)
    if pair is None:
        return None
    before, after = pair
    shared = [seed for seed in before.seeds if seed in after.seeds]
    rows = []
    for i, name in enumerate(result.data.classes):
        old, new = before.class_scores[i], after.class_scores[i]
        if old is not None and new is not None:
            rows.append(ClassRow(name, 100 * old, 100 * new, _interval(before, after, i, shared)))
    return Classes(before.name, after.name, tuple(sorted(rows, key=lambda row: row.after - row.before)))


def _interval(before: Candidate, after: Candidate, index: int, seeds: list[int]) -> tuple[float, float] | None:
    if len(seeds) < 2 or not before.class_scores_by_seed or not after.class_scores_by_seed:
        return None
    pairs = [[c.class_scores_by_seed[c.seeds.index(seed)][index] for c in (before, after)] for seed in seeds]
    differences = [new - old for old, new in pairs if old is not None and new is not None]
    if len(differences) < 2:
        return None
    inputs = max(1, sum(before.confusion[index]) // len(before.seeds))
    low, high = estimate(differences, 1 / inputs).ci95
    return 100 * low, 100 * high


def confusion(result: SearchResult) -> Confusion | None:
    """Of the same two; None where there is no second, or where there are too many classes to be read."""
    pair = before_and_after(result)
    if pair is None or len(result.data.classes) > _MOST_CLASSES or not all(c.confusion for c in pair):
        return None
    shares = [tuple(tuple(100 * n / max(1, sum(row)) for n in row) for row in c.confusion) for c in pair]
    return Confusion(result.data.classes, *shares)


def differences(result: SearchResult) -> list[Difference]:
    """Seed by seed, in the order in which they were trained; empty where nothing was compared."""
    if result.comparison is None:
        return []
    one, other = result.candidate(result.comparison.candidate), result.candidate(result.comparison.baseline)
    return [
        Difference(seed, 100 * a, 100 * b, 100 * (a - b))
        for seed, a, b in zip(one.seeds, one.test_scores, other.test_scores, strict=False)
    ]
