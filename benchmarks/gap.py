"""The share of the gap between no augmentation and the oracle that a search on shifted data closed."""

from __future__ import annotations

from typing import Any

from autoaug.results import SearchResult


def closed(result: SearchResult, none: float, oracle: float) -> dict[str, Any]:
    """The searched policy and the share of the gap it closed, or None if there is no gap. A search that ended without a
    policy of its own is judged by what it returns. `none` and `oracle` are test accuracies in [0, 1].
    """
    best = next((c for c in result.candidates if c.kind == "searched"), result.returned_candidate)
    baseline = max((c for c in result.candidates if c.kind == "baseline"), key=lambda c: c.mean)
    return {
        "none": none,
        "oracle": oracle,
        "found": best.mean,
        "recovered": (best.mean - none) / (oracle - none) if oracle != none else None,
        "best baseline": [baseline.name, baseline.mean],
        "verdict": result.verdict,
        "operators": best.policy.operator_names(),
        "policy": best.policy.model_dump(mode="json", exclude_defaults=True),
    }


def in_words(outcome: dict[str, Any]) -> str:
    """Describe the `outcome` of `closed` in one line; accuracies in percent."""
    none, mean, oracle = (100 * outcome[name] for name in ("none", "found", "oracle"))
    share = "" if outcome["recovered"] is None else f", {100 * outcome['recovered']:.0f} % of the gap"
    return f"{none:.1f} -> {mean:.1f}, oracle {oracle:.1f}{share}"
