"""Two-sample matching on its own: train what makes the training images look like the validation images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoaug.policy import Policy
from autoaug.strategies.base import Brief, Inquiry
from autoaug.strategies.inquiring import Inquiring
from autoaug.strategies.shift import NAME, MatchShift, matched


class Matching(Inquiring):
    """Asks which operators explain the shift between the splits, without labels and without training, and trains the
    answer, alone and after each baseline; ends there.
    """

    name = "matching"
    summary = "find the shift between training and validation images; cheap, blind to all else"
    stage = "matched"

    def inquiry(self, brief: Brief) -> Inquiry:  # noqa: ARG002 (needs no more)
        return Inquiry(NAME, MatchShift())

    def candidates(self, finding: Mapping[str, Any], brief: Brief) -> Mapping[str, Policy]:
        policy = matched(finding)
        if policy is None:
            return {}
        return {"matched": policy, **{f"{name}+matched": base + policy for name, base in brief.baselines.items()}}
