"""Trials for tests."""

from __future__ import annotations

from typing import Any

from autoaug.results import TrialSummary


def made_trial(**given: Any) -> TrialSummary:
    """A trial with plain values, but for those that are given."""
    usual = {"number": 0, "name": "trial-0", "stage": "", "data_fraction": 1.0, "seed_index": 0, "status": "complete"}
    usual |= {"values": (0.5,), "score": 0.5, "curve": (), "seconds": 1.0, "sample_passes": 1, "reason": "", "note": ""}
    return TrialSummary.model_validate({**usual, "is_baseline": False, "fingerprint": "", **given})
