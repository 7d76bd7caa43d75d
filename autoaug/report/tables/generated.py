"""The generators of a run and their samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autoaug.results import SearchResult
from autoaug.utils.quantities import duration

_BALANCED = (("classes", "Samples per class"), ("groups", "Samples per group (of the nearest training sample)"))
_JUDGED = (
    ("fid", "FID"),
    ("kid", "KID"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("density", "density"),
    ("coverage", "coverage"),
    ("memorized", "fraction of copies"),
)


class GeneratorRow(NamedTuple):
    """A generator of the run: what the sample filter dropped, the fewest and most samples per class before and after
    it, quality metrics, and the cost.
    """

    kind: str
    sample_filter: tuple[tuple[str, int], ...]
    balance: tuple[tuple[str, str, str], ...]
    judged: tuple[tuple[str, str], ...]
    fitting: str
    sampling: str
    size: str
    failed: str


def generators(result: SearchResult) -> list[GeneratorRow]:
    """The generators that the run used or tried to use."""
    return [_row(kind, facts) for kind, facts in result.generated.items()]


def _row(kind: str, facts: Mapping[str, Any]) -> GeneratorRow:
    if "failed" in facts:
        return GeneratorRow(kind, (), (), (), duration(facts["seconds"]), "", "", facts["failed"])
    judged = facts.get("judged", {})
    return GeneratorRow(
        kind=kind,
        sample_filter=tuple(facts["sample_filter"].items()),
        balance=tuple(
            (what, _fewest_and_most(facts[f"{key}_before"]), _fewest_and_most(facts[f"{key}_after"]))
            for key, what in _BALANCED
            if f"{key}_before" in facts
        ),
        judged=tuple((words, f"{judged[key]:.3g}") for key, words in _JUDGED if key in judged),
        fitting=duration(facts["seconds"]),
        sampling=duration(facts["sampling_seconds"]),
        size=f"{facts['bytes'] / 2**20:.1f} MiB",
        failed="",
    )


def _fewest_and_most(counts: list[int]) -> str:
    return f"{min(counts)} to {max(counts)}"
