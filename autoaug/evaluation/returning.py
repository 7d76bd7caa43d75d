"""The choice of the returned policy if nothing is proven: the best bet, by validation alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoaug.evaluation.scoring import Scoring, Trainings
from autoaug.results import Candidate

#: A searched policy must be ahead of the best baseline by this many standard errors of the luck of the validation
#: samples.
DISCOUNT = 0.5


def best_by_validation(candidates: Sequence[Candidate], seeds: int) -> Candidate:
    """The candidate with the highest mean validation score over the first `seeds`. Of equals, it is the first
    one, since simpler candidates come first.
    """
    return max(candidates, key=lambda c: float(np.mean(c.validation_scores[:seeds])))


def best_bet(
    candidates: Sequence[Candidate], trainings: Trainings, scoring: Scoring, seeds: int, discount: float = DISCOUNT
) -> Candidate:
    """The most promising candidate, by the mean validation score over the first `seeds`.

    A search chooses its policies by these same samples, so they had luck there. Fresh seeds remove the luck of the
    trainings, but not that of the samples. So a searched policy must be ahead of the best baseline by `discount`
    standard errors of the samples' luck; ``scripts/bench_verdict`` compares such rules. Of equals, the first is taken.
    """
    known = [candidate for candidate in candidates if candidate.kind == "baseline"]
    best = best_by_validation(candidates, seeds)
    if not known or best.kind == "baseline":
        return best
    baseline = best_by_validation(known, seeds)
    ours, theirs = ([trainings[c.name, seed] for seed in c.seeds[:seeds]] for c in (best, baseline))
    ahead = float(np.mean(best.validation_scores[:seeds]) - np.mean(baseline.validation_scores[:seeds]))
    return best if ahead > discount * scoring.validation_errors(ours, theirs).samples else baseline
