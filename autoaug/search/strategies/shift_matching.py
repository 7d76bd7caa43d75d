"""Two-sample matching alone: train the policy that makes the training samples look like the validation samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoaug.policy.models import Policy
from autoaug.search.probes.shift import NAME, PURPOSE, MatchShift, matched
from autoaug.search.strategies.base import Probe, SearchContext
from autoaug.search.strategies.probe_based import ProbeBased


class Matching(ProbeBased):
    """Finds the operators that explain the shift between the splits, without labels and without training; then trains
    them, alone and after each baseline.
    """

    name = "matching"
    summary = "match the shift between training and validation samples; cheap, blind to everything else"
    stage = "matched"

    def probe(self, context: SearchContext) -> Probe:
        return Probe(NAME, MatchShift(context.budget), PURPOSE)

    def candidates(self, probe_result: Mapping[str, Any], context: SearchContext) -> Mapping[str, Policy]:
        policy = matched(probe_result)
        if policy is None:
            return {}
        return {"matched": policy, **{f"{name}+matched": base + policy for name, base in context.baselines.items()}}
