"""From confirmed candidates to what a search says and returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np

from autoaug.evaluation.group_sequential import is_futile, levels
from autoaug.evaluation.scoring import Scoring, Trainings
from autoaug.evaluation.statistics import ERROR, estimate, mcnemar
from autoaug.results import Candidate, CandidateKind, Comparison, McNemar, MetricRecord, Returned, Verdict
from autoaug.training.metrics import metric_record


class Scored(Protocol):
    """A candidate with the mean of its scores, the higher the better."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> CandidateKind: ...

    @property
    def mean(self) -> float: ...


C = TypeVar("C", bound=Scored)


class Paired(NamedTuple):
    """The difference of two candidates, paired by seed.

    Attributes:
        differences: of each seed.
        difference: their mean.
        ci95: the interval of that, with 95 % over all interim analyses together.
        p_value: of its being 0.
        level: what this analysis could be wrong by alone.
    """

    differences: tuple[float, ...]
    difference: float
    ci95: tuple[float, float]
    p_value: float
    level: float


def paired(ours: Sequence[float], theirs: Sequence[float], resolution: float, planned: tuple[int, ...] = ()) -> Paired:
    """The difference of scores on the same seeds, which come in steps of `resolution`, at one of the `planned` interim
    analyses.
    """
    differences = tuple(a - b for a, b in zip(ours, theirs, strict=True))
    level = levels(planned)[planned.index(len(differences))] if planned else ERROR
    found = estimate(list(differences), resolution, level)
    return Paired(differences, found.mean, found.ci95, found.p_value, level)


def verdict_of(found: Paired | Comparison) -> Verdict:
    """What the interval of the paired difference allows to be said."""
    if found.ci95[0] <= 0 <= found.ci95[1]:
        return "no significant difference"
    return "better" if found.difference > 0 else "worse"


@dataclass(frozen=True)
class Decision(Generic[C]):
    """What is said, and which candidate is returned."""

    verdict: Verdict
    sentence: str
    returned: C


@dataclass(frozen=True)
class Words:
    """How a decision is put: the metric, on which split, what the best baseline is best on, and whether there was a
    search.
    """

    metric: MetricRecord
    split: str = "test"
    best_on: str = " on the validation split"
    after_search: bool = True


def decide(finalist: C, baseline: C, fallback: C, found: Paired, words: Words) -> Decision[C]:
    """Whether `finalist` beats its strongest `baseline`, by the difference `found`; unless it does, `fallback` is
    returned. After a search, a baseline cannot be better: nothing was found.
    """
    if words.after_search and finalist.kind == "baseline":
        sentence = (
            "No significant difference: the search had no policy of its own that was trained to the end, so nothing is "
            f"claimed; give it a larger budget. Returned is {fallback.name}, the best baseline{words.best_on}."
        )
        return Decision("no significant difference", sentence, fallback)
    verdict = verdict_of(found)
    returned = finalist if verdict == "better" else fallback
    what = "searched policy" if words.after_search else "policy"
    ours, theirs, figures = f"the {what} {finalist.name}", baseline.name, _figures(found, words)
    tail = f"Returned is {returned.name}, the best {_sort(returned)}{words.best_on}."
    sentence = {
        "better": f"Better: {ours} beats {theirs}, its strongest baseline, by {figures}.",
        "worse": f"Worse: {ours} is behind {theirs}: {figures}. {tail}",
        "no significant difference": (
            f"No significant difference between {ours} and {theirs}, its strongest baseline: {figures}. {tail}"
        ),
    }[verdict]
    return Decision(verdict, sentence, returned)


def _sort(candidate: Scored) -> str:
    return "baseline" if candidate.kind == "baseline" else "policy"


def _figures(found: Paired, words: Words) -> str:
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


@dataclass(frozen=True)
class Judgment(Decision[Candidate]):
    """What is said and returned of trained candidates."""

    comparison: Comparison | None

    def as_returned(self) -> Returned:
        """The record of the returned policy."""
        is_searched = self.returned.kind != "baseline"
        return Returned(name=self.returned.name, fingerprint=self.returned.fingerprint, is_searched=is_searched)


def judge(
    candidates: Sequence[Candidate],
    trainings: Trainings,
    scoring: Scoring,
    after_search: bool = True,
    planned: tuple[int, ...] = (),
) -> Judgment:
    """Pick the finalist by validation, compare it on the test split with the strongest baseline, and decide.

    The finalist is the searched candidate with the best validation mean, or, where there is none, the best of all; its
    baselines are the known policies and the winner of the control search. Unless it is better, the baseline with the
    best validation mean is returned.

    Args:
        candidates: with the seeds that they were trained on; means of validation are compared over those that all
            share, the first ones.
        trainings: of the candidates.
        scoring: of the trainings.
        after_search: whether the candidates come from one.
        planned: after how many seeds the data are looked at; empty for once, at the end.
    """
    shared = min(len(c.seeds) for c in candidates)
    finalist = best_by_validation([c for c in candidates if c.kind == "searched"] or candidates, shared)
    fallback = best_by_validation([c for c in candidates if c.kind == "baseline"] or candidates, shared)
    baselines = baselines_of(finalist, candidates)
    if not baselines:
        sentence = f"{finalist.name} was trained alone, so there is nothing to compare it with."
        return Judgment("no significant difference", sentence, finalist, None)
    baseline = strongest(baselines)
    found = paired(finalist.test_scores, baseline.test_scores, scoring.resolution, planned)
    words = Words(metric_record(scoring.metric), after_search=after_search)
    decision = decide(finalist, baseline, fallback, found, words)
    comparison = Comparison(
        candidate=finalist.name,
        baseline=baseline.name,
        **found._asdict(),
        interim_analyses=planned,
        mcnemar=_mcnemar(finalist, baseline, trainings, scoring),
    )
    return Judgment(decision.verdict, decision.sentence, decision.returned, comparison)


def _mcnemar(candidate: Candidate, baseline: Candidate, trainings: Trainings, scoring: Scoring) -> McNemar | None:
    """McNemar's test on the predictions of all seeds pooled; None where they are not of classes."""
    if not scoring.task.classes:
        return None

    def right(name: str) -> np.ndarray:
        predictions = [trainings[name, seed].test_predictions for seed in candidate.seeds]
        return np.concatenate([found == scoring.test_labels for found in predictions])

    pooled = mcnemar(right(candidate.name), right(baseline.name))
    return McNemar(
        only_candidate_right=pooled.only_first, only_baseline_right=pooled.only_second, p_value=pooled.p_value
    )


def best_by_validation(candidates: Sequence[Candidate], seeds: int) -> Candidate:
    """The highest mean on the validation split over the first `seeds`; of equals the first, which is the simpler by the
    order of entry.
    """
    return max(candidates, key=lambda c: float(np.mean(c.validation_scores[:seeds])))


def strongest(candidates: Sequence[C]) -> C:
    """The highest mean on the test split: a choice that can only make the verdict harder to win."""
    return max(candidates, key=lambda c: c.mean)


def baselines_of(finalist: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Whom the finalist has to beat: all but searched ones, where there are others, among those with all its seeds."""
    others = [c for c in candidates if c is not finalist and len(c.seeds) == len(finalist.seeds)]
    return [c for c in others if c.kind != "searched"] or others


def contenders(judgment: Judgment, candidates: Sequence[Candidate]) -> list[str]:
    """Between whom more seeds are to decide: the finalist, and baselines that may yet turn out to be its strongest,
    being no further behind that than the comparison is uncertain. Empty where the data have decided, or will hardly
    show that the finalist is better.
    """
    comparison = judgment.comparison
    if comparison is None or judgment.verdict != "no significant difference":
        return []
    if is_futile(comparison.differences, comparison.interim_analyses):
        return []
    finalist = next(c for c in candidates if c.name == comparison.candidate)
    reach = comparison.ci95[1] - comparison.difference
    baselines = baselines_of(finalist, candidates)
    highest = strongest(baselines).mean
    return [finalist.name, *(c.name for c in baselines if c.mean >= highest - reach)]
