"""The two candidates of a run that are shown side by side."""

from __future__ import annotations

from autoaug.results import Candidate, SearchResult


def before_and_after(result: SearchResult) -> tuple[Candidate, Candidate] | None:
    """Training without augmentation (or else the weakest candidate), and the returned policy. If these are the same,
    the second is the best searched policy, or else the best other candidate; None if there is no other.
    """
    before = next((c for c in result.candidates if c.name == "none"), None) or min(
        result.candidates, key=lambda c: c.mean
    )
    after = result.returned_candidate
    if after.name != before.name:
        return before, after
    others = [c for c in result.candidates if c.name != before.name]
    return (before, max(others, key=lambda c: (c.kind == "searched", c.validation_mean))) if others else None
