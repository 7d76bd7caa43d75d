"""Operator weights, probabilities and magnitudes learned by gradient, for less than the cost of one training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoaug.errors import SpaceError
from autoaug.policy.models import Policy
from autoaug.search.probes.gradient import NAME, PURPOSE, LearnByGradient, starting_policy
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import Probe, SearchContext
from autoaug.search.strategies.probe_based import ProbeBased


class Gradient(ProbeBased):
    """Trains the baselines and then the learned policy."""

    name = NAME
    summary = "learn weights, probabilities and magnitudes by gradient (as DADA); costs less than one training"
    stage = "gradient"

    def check(self, space: SearchSpace) -> None:
        if not space.modality.is_continuous:
            raise SpaceError(
                f"strategy {NAME!r} follows the gradients of operators, which those of the modality "
                f"{space.modality.name!r} do not have; auto, tpe and random take every space"
            )
        if not starting_policy(space).layers:
            where = f"space {space.name!r} has none to start from"
            raise SpaceError(f"strategy {NAME!r} learns about operators, but {where}; use tpe or random")

    def probe(self, context: SearchContext) -> Probe:
        return Probe(NAME, LearnByGradient(context.space), PURPOSE)

    def candidates(self, probe_result: Mapping[str, Any], context: SearchContext) -> Mapping[str, Policy]:  # noqa: ARG002 (needs no more)
        return {NAME: Policy.model_validate(probe_result["policy"])} if "policy" in probe_result else {}
