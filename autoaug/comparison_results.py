"""Two candidates compared, as it stands in ``result.json``, and what all records there have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from autoaug.probe_results import Count
from autoaug.utils.renamed import renamed

Verdict = Literal["better", "worse", "no significant difference"]
Interval = tuple[float, float]
Unit = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """Base of what stands in ``result.json``: frozen, strict about what it does not know, and all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class McNemar(Record):
    """The exact test of McNemar (1947) on the predictions of all seeds pooled."""

    only_candidate_right: Count
    only_baseline_right: Annotated[Count, renamed("only_baseline_right", "only_rival_right")]
    p_value: Unit


def verdict_of(interval: Interval) -> Verdict:
    """What the interval of a difference allows to be said."""
    low, high = interval
    if low <= 0 <= high:
        return "no significant difference"
    return "better" if low > 0 else "worse"


class Comparison(Record):
    """A candidate against a baseline, paired by seed, on the test split.

    Attributes:
        candidate, baseline: their names.
        against: what the baseline stands for, in words.
        differences: of each seed.
        difference: the estimate, adjusted for the interim analyses.
        ci95: holds with 95 % over all `interim_analyses` together, for new seeds and new samples.
        seeds_reach: the part of half its width that would go with more seeds; None in older results, whose interval is
            for new seeds alone.
        samples_reach: the part that would go only with more test samples; the squares of the two add up.
        p_value: of there being no difference, adjusted like the interval.
        level: what this analysis could be wrong by alone, as far as seeds are concerned.
        interim_analyses: after how many seeds the data may have been looked at.
        folds: over how many folds of the data the seeds were trained; None where all stands on one split.
        mcnemar: where predictions are right or wrong.
    """

    candidate: str
    baseline: Annotated[str, renamed("baseline", "rival")]
    against: str = ""
    differences: Annotated[tuple[float, ...], Field(min_length=1)]
    difference: float
    ci95: Interval
    seeds_reach: Annotated[float, Field(ge=0)] | None = None
    samples_reach: Annotated[float, Field(ge=0)] | None = None
    p_value: Unit
    level: Unit = 0.05
    interim_analyses: Annotated[tuple[Count, ...], renamed("interim_analyses", "looks")] = ()
    folds: Annotated[int, Field(ge=2)] | None = None
    mcnemar: McNemar | None = None

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.ci95[1] - self.ci95[0]) / 2

    @property
    def verdict(self) -> Verdict:
        """What the interval allows to be said."""
        return verdict_of(self.ci95)
