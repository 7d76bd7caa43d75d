"""The robustness of a model, as a record."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from autoaug.results.metric import ACCURACY, MetricRecord
from autoaug.results.record import Record, Size

#: A score for each of the severities 1 to 5.
Severities = Annotated[tuple[float, ...], Field(min_length=5, max_length=5)]


class Robustness(Record):
    """The robustness of a model, as scores on test samples: the content of ``robustness.json``.

    Attributes:
        inputs: the number of samples.
        attack: the attack as text.
        clean: the score on the unchanged samples.
        attacked: the score under the attack.
        corrupted: the score for each common corruption at severities 1 to 5.
        metric: what the scores are of: the accuracy of classes, and chrF of translations.
    """

    inputs: Size
    attack: str
    clean: float
    attacked: float
    corrupted: Annotated[dict[str, Severities], Field(min_length=1)]
    metric: MetricRecord = ACCURACY

    @model_validator(mode="after")
    def _shares_are_in_range(self) -> Self:
        scores = [self.clean, self.attacked, *(score for row in self.corrupted.values() for score in row)]
        if self.metric.is_share and not all(0 <= score <= 1 for score in scores):
            raise ValueError(f"scores of {self.metric.name} are between 0 and 1")
        return self

    @property
    def mean_corrupted(self) -> float:
        """The mean over all corruptions and severities."""
        values = [value for row in self.corrupted.values() for value in row]
        return sum(values) / len(values)
