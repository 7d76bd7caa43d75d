"""Density matching (Fast AutoAugment; Lim et al., 2019): policies scored by models that are already trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoaug.policy.models import Layer, Policy
from autoaug.search.probes.density import NAME, MatchDensity
from autoaug.search.strategies.base import Probe, SearchContext
from autoaug.search.strategies.probe_based import ProbeBased


class Density(ProbeBased):
    """Trains the policies under which unaugmented models still recognize held-out training samples, and all of them
    together as one choice, as the paper does; ends there. It never reads the validation samples, so that it cannot
    see a shift between them and the training samples.
    """

    name = "density"
    summary = "Fast AutoAugment: score policies by trained models; cheap, blind to a shift of the validation samples"
    stage = "density"

    def probe(self, context: SearchContext) -> Probe:
        return Probe(NAME, MatchDensity(context.space))

    def candidates(self, probe_result: Mapping[str, Any], context: SearchContext) -> Mapping[str, Policy]:  # noqa: ARG002 (needs no more)
        policies = [Policy.model_validate(p) for p in probe_result.get("policies", ())]
        joined = {NAME: together(policies)} if policies else {}
        return joined | {f"{NAME}-{i + 1}": policy for i, policy in enumerate(policies)}


def together(policies: list[Policy]) -> Policy:
    """Layer by layer, a choice among what the policies do there, as often as they do it."""
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
