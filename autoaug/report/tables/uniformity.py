"""How evenly a policy chooses among its operators."""

from __future__ import annotations

from autoaug.policy.models import Policy

#: Shares that differ by less are equal.
_ROUNDING = 1e-3


def uniformity(policy: Policy) -> str:
    """How evenly the layers that choose between operators do so, as a sentence; empty if there are none."""
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
        return ""
    begun, even = f"It chooses among {len(weights)} operators", 1 / len(weights)
    most = max(weights, key=weights.__getitem__)
    share = weights[most] / total
    if share - even < _ROUNDING:
        return f"{begun}, all equally often."
    return (
        f"{begun}. {most} is the most frequent, with {100 * share:.0f} % of the choices ({100 * even:.0f} % if even)."
    )
