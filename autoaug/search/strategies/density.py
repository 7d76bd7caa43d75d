"""Density matching (Fast AutoAugment; Lim et al., 2019): policies scored by models that are already trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoaug.errors import SpaceError
from autoaug.policy.models import Layer, Policy
from autoaug.search.probes.density import NAME, PURPOSE, MatchDensity
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import Probe, SearchContext
from autoaug.search.strategies.probe_based import ProbeBased


class Density(ProbeBased):
    """Trains the policies under which unaugmented models still recognize held-out training samples, and, as the paper
    does, their combination; then ends. It never reads the validation samples, so it cannot detect a shift between the
    splits.
    """

    name = "density"
    summary = "Fast AutoAugment: score policies by trained models; cheap, blind to a shift of the validation samples"
    stage = "density"

    def check(self, space: SearchSpace) -> None:
        if not (space.base or space.layers[1]):
            raise SpaceError(f"strategy {NAME!r} needs operators, but space {space.name!r} has none; use tpe or random")

    def probe(self, context: SearchContext) -> Probe:
        return Probe(NAME, MatchDensity(context.space), PURPOSE)

    def candidates(self, probe_result: Mapping[str, Any], context: SearchContext) -> Mapping[str, Policy]:  # noqa: ARG002 (needs no more)
        policies = [Policy.model_validate(p) for p in probe_result.get("policies", ())]
        joined = {NAME: together(policies)} if policies else {}
        return joined | {f"{NAME}-{i + 1}": policy for i, policy in enumerate(policies)}


def together(policies: list[Policy]) -> Policy:
    """Combine policies: each layer chooses among the sub-policies that they have in that layer, with equal total weight
    per policy.
    """
    depth = max(len(policy.layers) for policy in policies)
    layers = []
    for i in range(depth):
        sub_policies = [
            sub_policy.model_copy(
                update={"weight": sub_policy.weight / sum(b.weight for b in policy.layers[i].sub_policies)}
            )
            for policy in policies
            if i < len(policy.layers)
            for sub_policy in policy.layers[i].sub_policies
        ]
        layers.append(Layer(sub_policies=tuple(sub_policies)))
    return Policy(name="density", layers=tuple(layers))
