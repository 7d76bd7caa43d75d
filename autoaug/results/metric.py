"""How scores are measured and shown."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autoaug.results.record import Interval, Record

#: What is nearer to 0 is 0 up to rounding, such as the kappa of chance.
_ROUNDING = 1e-12


class MetricRecord(Record):
    """The metric that scores are based on, and the one place where scores are converted to its unit. A score is the
    metric, negated if needed so that larger is better. So are all numbers of records that are made of scores: means,
    intervals and differences. `MetricValues` and the provenance of a policy have the metric as it is computed.

    Attributes:
        name: its name in text.
        unit: ``%`` for fractions in [0, 1], which are shown in percent; otherwise the text after a value.
        larger_is_better: whether larger values of the metric are better; if not, a score is its negative.
    """

    name: str = "accuracy"
    unit: str = "%"
    larger_is_better: bool = True

    @property
    def is_share(self) -> bool:
        """Whether scores are fractions in [0, 1]."""
        return self.unit == "%" and self.larger_is_better

    def value(self, score: float) -> float:
        """A score, or a difference of two, in the metric's unit."""
        return self.scale * self.plain(score)

    @property
    def scale(self) -> float:
        """The unit in which values are shown, as a factor."""
        return 100.0 if self.unit == "%" else 1.0

    def plain(self, score: float) -> float:
        """A score as the metric computes it, shares in [0, 1]: for programs that read on."""
        return score if self.larger_is_better else -score

    def plain_interval(self, scores: tuple[float, float]) -> tuple[float, float]:
        """The bounds of an interval of scores as the metric computes them, the lower first."""
        low, high = sorted(self.plain(score) for score in scores)
        return low, high

    def interval(self, scores: tuple[float, float]) -> tuple[float, float]:
        """The bounds of an interval of scores in the metric's unit, the lower value first."""
        low, high = sorted(self.value(score) for score in scores)
        return low, high

    def difference(self, score: float) -> str:
        """A difference of two scores in the metric's unit as text, with its sign and without the unit: ``+0.40``."""
        return self.number(self.value(score), sign="+")

    def digits(self, decimals: int = 2) -> str:
        """The format of a value in the metric's unit, for Python and Plotly: so many decimals of a percentage or of
        points of a hundred, four digits of any other number, whose size is unknown.
        """
        return f".{decimals}f" if self.unit in {"%", "points"} else ".4g"

    def number(self, value: float, decimals: int = 2, sign: str = "") -> str:
        """A value that is in the metric's unit already, as text without the unit; `sign` is ``+`` to show that of
        positive values too.
        """
        value = 0.0 if abs(value) < _ROUNDING else value
        return f"{value:{sign}z{self.digits(decimals)}}"  # z: no -0

    def title(self, of: str = "", at: str = "") -> str:
        """A title such as ``test accuracy, %`` for an axis or a column, with `of` before the name and `at` after it."""
        words = " ".join(part for part in (of, self.name, at) if part)
        return f"{words}, {self.unit}" if self.unit else words

    def column(self, of: str) -> str:
        """A title such as ``test, %``, for a table in which the metric is known."""
        return f"{of}, {self.unit}" if self.unit else of

    @property
    def behind(self) -> str:
        """The text after a value, such as `` %``."""
        return f" {self.unit}" if self.unit else ""

    @property
    def points(self) -> str:
        """The unit of differences: ``points`` for percentages."""
        return "points" if self.unit == "%" else self.unit

    def shown(self, score: float, digits: int = 1) -> str:
        """A score as text, such as ``97.2 %``."""
        return f"{self.number(self.value(score), digits)}{self.behind}"

    @property
    def heading(self) -> str:
        """The name at the beginning of a sentence."""
        return self.name[:1].upper() + self.name[1:]


#: The metric of runs and results that do not name one.
ACCURACY = MetricRecord()


#: The share of the test samples of a class that are recognized.
RECALL = MetricRecord(name="recall")


class MetricValues(Record):
    """A metric on the test split: its `values`, one per seed, their mean and its interval, as the metric computes them
    (shares in [0, 1], and nothing is negated), because larger is not better for each.
    """

    metric: MetricRecord
    values: Annotated[tuple[float, ...], Field(min_length=1)]
    mean: float
    ci95: Interval
