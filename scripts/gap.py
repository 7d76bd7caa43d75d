"""What a search on shifted data made of the gap between no augmentation and the oracle, for the benches of recovery."""

from __future__ import annotations

from autoaug.results import SearchResult


def closed(found: SearchResult, none: float, oracle: float) -> dict[str, object]:
    """The searched policy, and the share of the gap that it closed: None where the oracle is no augmentation itself."""
    best = next(c for c in found.candidates if c.kind == "searched")
    baseline = max((c for c in found.candidates if c.kind == "baseline"), key=lambda c: c.mean)
    return {
        "none": none,
        "oracle": oracle,
        "found": best.mean,
        "recovered": (best.mean - none) / (oracle - none) if oracle != none else None,
        "best baseline": [baseline.name, baseline.mean],
        "verdict": found.verdict,
        "operators": best.policy.operator_names(),
        "policy": best.policy.model_dump(mode="json", exclude_defaults=True),
    }
