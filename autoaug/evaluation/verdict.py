"""From confirmed candidates to what a run says and returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoaug.evaluation.confirmation import (
    ConfirmedTraining,
    best_by_validation,
    compare,
    strongest_baseline,
    verdict_of,
)
from autoaug.evaluation.group_sequential import is_futile
from autoaug.results import Candidate, Comparison, Returned, Verdict


@dataclass(frozen=True)
class Judgment:
    """What is said and returned."""

    verdict: Verdict
    sentence: str
    comparison: Comparison | None
    returned: Candidate

    def as_returned(self) -> Returned:
        """The record of the returned policy."""
        is_searched = self.returned.kind != "baseline"
        return Returned(name=self.returned.name, fingerprint=self.returned.fingerprint, is_searched=is_searched)


def judge(
    candidates: Sequence[Candidate],
    trainings: dict[tuple[str, int], ConfirmedTraining],
    test_labels: np.ndarray,
    after_search: bool = True,
    planned: tuple[int, ...] = (),
) -> Judgment:
    """Pick the finalist by validation, compare it on the test split with the strongest baseline, and decide.

    The finalist is the searched candidate with the best validation mean, or, where there is none, the best of all; its
    rivals are all baselines and the winner of the rival search. Unless it is better, the baseline with the best
    validation mean is returned. After a search, a baseline cannot be better: nothing was found.

    Args:
        candidates: with the seeds that they were trained on; means of validation are compared over those that all
            share, the first ones.
        trainings: of the candidates.
        test_labels: of the test split.
        after_search: whether the candidates come from one.
        planned: after how many seeds the data are looked at; empty for one look alone.
    """
    shared = min(len(c.seeds) for c in candidates)
    finalist = best_by_validation([c for c in candidates if c.kind == "searched"] or candidates, shared)
    fallback = best_by_validation([c for c in candidates if c.kind == "baseline"] or candidates, shared)
    baselines = baselines_of(finalist, candidates)
    if not baselines:
        sentence = f"{finalist.name} was trained alone, so there is nothing to compare it with."
        return Judgment("no significant difference", sentence, None, finalist)
    comparison = compare(finalist, strongest_baseline(baselines), trainings, test_labels, planned)
    if after_search and finalist.kind == "baseline":
        sentence = (
            "No significant difference: the search had no policy of its own that was trained to the end, so nothing is "
            f"claimed; give it a larger budget. Returned is {fallback.name}, the best baseline on the validation split."
        )
        return Judgment("no significant difference", sentence, comparison, fallback)
    verdict = verdict_of(comparison)
    returned = finalist if verdict == "better" else fallback
    return Judgment(verdict, sentence_of(verdict, comparison, returned, finalist), comparison, returned)


def baselines_of(finalist: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Whom the finalist has to beat: all but searched ones, where there are others, among those with all its seeds."""
    others = [c for c in candidates if c is not finalist and len(c.seeds) == len(finalist.seeds)]
    return [c for c in others if c.kind != "searched"] or others


def contenders(judgment: Judgment, candidates: Sequence[Candidate]) -> list[str]:
    """Between whom more seeds are to decide: the finalist, and rivals that may yet turn out to be its hardest, being no
    further behind that than the comparison is uncertain. Empty where the data have decided, or will hardly show that
    the finalist is better.
    """
    comparison = judgment.comparison
    if comparison is None or judgment.verdict != "no significant difference":
        return []
    if is_futile(comparison.differences, comparison.interim_analyses):
        return []
    finalist = next(c for c in candidates if c.name == comparison.candidate)
    reach = comparison.ci95[1] - comparison.difference
    baselines = baselines_of(finalist, candidates)
    hardest = strongest_baseline(baselines).mean
    return [finalist.name, *(c.name for c in baselines if c.mean >= hardest - reach)]


def sentence_of(verdict: Verdict, comparison: Comparison, returned: Candidate, finalist: Candidate) -> str:
    """The verdict in words, with the figures it stands on."""
    low, high = (100 * bound for bound in comparison.ci95)
    figures = (
        f"{100 * comparison.difference:+.2f} points of test accuracy (95 % interval {low:+.2f} to {high:+.2f}, "
        f"{len(comparison.differences)} seeds, p = {comparison.p_value:.2g})"
    )
    what = "searched policy" if finalist.trial is not None else "policy"
    if verdict == "better":
        return f"Better: the {what} {comparison.candidate} beats {comparison.baseline}, its strongest baseline, by {figures}."
    is_searched = returned.kind != "baseline"
    tail = f"Returned is {returned.name}, the best {'policy' if is_searched else 'baseline'} on the validation split."
    if verdict == "worse":
        return f"Worse: the {what} {comparison.candidate} is behind {comparison.baseline}: {figures}. {tail}"
    return (
        f"No significant difference between the {what} {comparison.candidate} and {comparison.baseline}, its hardest "
        f"rival: {figures}. {tail}"
    )
