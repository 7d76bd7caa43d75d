"""Which two candidates of a run are shown side by side."""

from __future__ import annotations

from autoaug.results import Candidate, SearchResult


def before_and_after(result: SearchResult) -> tuple[Candidate, Candidate] | None:
    """Training without augmentation (else the weakest baseline), and the returned policy, or, where those are the same,
    the best searched one; None where there is no second.
    """
    before = next((c for c in result.candidates if c.name == "none"), None) or min(
        result.candidates, key=lambda c: c.mean
    )
    after = result.candidate(result.returned.name)
    if after.name != before.name:
        return before, after
    others = [c for c in result.candidates if c.name != before.name]
    return (before, max(others, key=lambda c: (c.kind == "searched", c.validation_mean))) if others else None
