"""Which policy is returned: the one to bet on, by validation alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoaug.evaluation.scoring import Scoring, Trainings
from autoaug.results import Candidate

#: How many standard errors of the validation samples' luck a searched policy must be ahead of the best baseline.
DISCOUNT = 0.5


def best_by_validation(candidates: Sequence[Candidate], seeds: int) -> Candidate:
    """The highest mean on the validation split over the first `seeds`; of equals the first, which is the simpler by the
    order of entry.
    """
    return max(candidates, key=lambda c: float(np.mean(c.validation_scores[:seeds])))


def best_bet(
    candidates: Sequence[Candidate], trainings: Trainings, scoring: Scoring, seeds: int, discount: float = DISCOUNT
) -> Candidate:
    """The candidate that is most likely the best, by the mean on the validation split over the first `seeds`.

    What a search found was chosen on these very samples, and chosen because it was lucky there: fresh seeds correct the
    luck of the trainings, not that of the samples. So a policy of a search must be ahead of the best baseline by
    `discount` standard errors of the samples' luck; ``scripts/bench_verdict`` compares such rules. Of equals the first
    is taken, which is the simpler by the order of entry.
    """
    known = [candidate for candidate in candidates if candidate.kind == "baseline"]
    best = best_by_validation(candidates, seeds)
    if not known or best.kind == "baseline":
        return best
    baseline = best_by_validation(known, seeds)
    ours, theirs = ([trainings[c.name, seed] for seed in c.seeds[:seeds]] for c in (best, baseline))
    ahead = float(np.mean(best.validation_scores[:seeds]) - np.mean(baseline.validation_scores[:seeds]))
    return best if ahead > discount * scoring.validation_errors(ours, theirs).samples else baseline
