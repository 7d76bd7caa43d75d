"""The robustness of a model, as a record."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autoaug.results.record import Record, Size, Unit
from autoaug.utils.renamed import renamed

#: A score for each of the severities 1 to 5.
Severities = Annotated[tuple[Unit, ...], Field(min_length=5, max_length=5)]


class Robustness(Record):
    """The robustness of a model, as accuracies in [0, 1] on test samples: the content of ``robustness.json``.

    Attributes:
        inputs: the number of samples.
        attack: the attack as text.
        clean: the accuracy on the unchanged samples.
        attacked: the accuracy under the attack.
        corrupted: the accuracy for each common corruption at severities 1 to 5.
    """

    inputs: Annotated[Size, renamed("inputs", "images")]
    attack: str
    clean: Unit
    attacked: Unit
    corrupted: Annotated[dict[str, Severities], Field(min_length=1)]

    @property
    def mean_corrupted(self) -> float:
        """The mean over all corruptions and severities."""
        values = [value for row in self.corrupted.values() for value in row]
        return sum(values) / len(values)
