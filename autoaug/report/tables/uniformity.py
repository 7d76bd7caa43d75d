"""How evenly a policy chooses among its operators."""

from __future__ import annotations

import math
from typing import NamedTuple

from autoaug.policy.models import Policy


class Uniformity(NamedTuple):
    """How far a policy's choice among its operators is from a uniform one.

    Attributes:
        operators: the number of operators that it draws from.
        distance: the total variation distance from the uniform distribution, 0 to 1.
        effective: the exponential of the entropy: the number of equally likely operators with the same uncertainty.
    """

    operators: int
    distance: float
    effective: float


def uniformity(policy: Policy) -> Uniformity | None:
    """The uniformity over all layers that choose between operators; None if there are none."""
    weights: dict[str, float] = {}
    for layer in policy.all_layers():
        if len(layer.sub_policies) > 1:
            total = sum(sub_policy.weight for sub_policy in layer.sub_policies)
            for sub_policy in layer.sub_policies:
                for operation in sub_policy.operations:
                    added = sub_policy.weight / total / len(sub_policy.operations)
                    weights[operation.operator] = weights.get(operation.operator, 0.0) + added
    total = sum(weights.values())
    if len(weights) < 2 or not total:  # there is no choice, or nothing is ever drawn
        return None
    shares = [weight / total for weight in weights.values()]
    entropy = -sum(share * math.log(share) for share in shares if share)
    return Uniformity(len(shares), sum(abs(share - 1 / len(shares)) for share in shares) / 2, math.exp(entropy))
