"""How what is measured is named and shown: the one place where scores become numbers in the metric's unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from autoaug.results import MetricRecord


@dataclass(frozen=True)
class MetricWords:
    """How a report speaks of a metric.

    Attributes:
        name: as in ``accuracy``.
        unit: ``%`` where scores are shares in [0, 1], which are shown in percent; otherwise what stands behind a value,
            or nothing.
        larger_is_better: whether scores are the metric's values; otherwise they are turned, and shown as they were.
    """

    name: str = "accuracy"
    unit: str = "%"
    larger_is_better: bool = True

    @classmethod
    def of(cls, metric: MetricRecord) -> Self:
        """The words for what a result's scores are."""
        return cls(metric.name, metric.unit, metric.larger_is_better)

    def value(self, score: float) -> float:
        """A score, or a difference of two, in the metric's unit."""
        return score * (100 if self.unit == "%" else 1) * (1 if self.larger_is_better else -1)

    def interval(self, scores: tuple[float, float]) -> tuple[float, float]:
        """The bounds of an interval of scores, the lower value first."""
        low, high = sorted(self.value(score) for score in scores)
        return low, high

    def title(self, of: str = "", at: str = "") -> str:
        """``test accuracy, %``, for an axis or a column: `of` stands before the name, `at` behind it."""
        words = " ".join(part for part in (of, self.name, at) if part)
        return f"{words}, {self.unit}" if self.unit else words

    def column(self, of: str) -> str:
        """``test, %``: for a table in which the name of the metric is known."""
        return f"{of}, {self.unit}" if self.unit else of

    @property
    def behind(self) -> str:
        """What stands behind a value: `` %``."""
        return f" {self.unit}" if self.unit else ""

    @property
    def points(self) -> str:
        """What differences are counted in: ``points`` of percentages."""
        return "points" if self.unit == "%" else self.unit

    def shown(self, score: float, digits: int = 1) -> str:
        """``97.2 %``."""
        return f"{self.value(score):.{digits}f}{self.behind}"


#: What a run measures whose result does not say otherwise yet.
ACCURACY = MetricWords()
