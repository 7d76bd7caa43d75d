"""Small records of results, from which charts and tables are made."""

from __future__ import annotations

from autoaug.policy.models import Policy
from autoaug.results import Candidate, SearchResult, TrialSummary


def trial(number: int, score: float, **changes: object) -> TrialSummary:
    given = {
        "number": number,
        "name": f"trial-{number}",
        "stage": "search",
        "data_fraction": 1.0,
        "seed_index": 0,
        "status": "complete",
        "values": (score,),
        "score": score,
        "curve": ((5, score - 0.1), (10, score)),
        "seconds": 1.0,
        "sample_passes": 100,
        "reason": "",
        "note": "",
        "is_baseline": False,
        "fingerprint": f"print-{number}",
        **changes,
    }
    return TrialSummary.model_validate(given)


def result(*history: TrialSummary, **changes: object) -> SearchResult:
    return SearchResult.model_construct(
        history=history, **{"objectives": ("accuracy",), "probes": {}, "candidates": (), **changes}
    )


def candidate(number: int, validation: float) -> Candidate:
    return Candidate.model_construct(
        fingerprint=f"print-{number}", validation_mean=validation, policy=Policy(), name=f"trial-{number}"
    )
