"""The result of a search with a user's objective."""

from __future__ import annotations

from typing import Literal

from autoaug.policy.models import Policy
from autoaug.policy.words import in_words
from autoaug.results.record import Interval, Record, Verdict
from autoaug.results.run import TrialSummary


class Scored(Record):
    """A policy's scores on fresh seeds that all candidates share."""

    name: str
    kind: Literal["baseline", "searched"]
    fingerprint: str
    policy: Policy
    scores: tuple[float, ...]
    mean: float
    ci95: Interval

    @property
    def label(self) -> str:
        """What it is called in texts: a policy of the search by what it does."""
        return self.name if self.kind == "baseline" else in_words(self.policy)


class ObjectiveResult(Record):
    """The outcome of a search with an objective: the content of its ``result.json``.

    Attributes:
        verdict, sentence: whether the search's first finalist beats the strongest baseline; None without ``held_out``,
            and the sentence says why.
        policy: the policy to use: the searched one if it is better, otherwise the best baseline; without a verdict, the
            best candidate.
        candidates: finalists and baselines on fresh seeds, best first.
        difference, ci95, p_value: the searched policy compared with the best baseline, paired by seed; None without a
            verdict.
        history: the trials of the search.
    """

    verdict: Verdict | None
    sentence: str
    policy: Policy
    candidates: tuple[Scored, ...]
    difference: float | None = None
    ci95: Interval | None = None
    p_value: float | None = None
    history: tuple[TrialSummary, ...]
