"""How a metric is named and shown."""

from __future__ import annotations

import pytest

from autoaug.results import ACCURACY, MetricRecord

ERRORS = MetricRecord(name="word errors", unit="per word", larger_is_better=False)
PLAIN = MetricRecord(name="F1", unit="")


def test_shares_are_shown_in_percent() -> None:
    assert ACCURACY.shown(0.975, 2) == "97.50 %"
    assert ACCURACY.title("test") == "test accuracy, %"
    assert ACCURACY.title(at="on the class") == "accuracy on the class, %"
    assert ACCURACY.column("best") == "best, %"
    assert ACCURACY.points == "points"
    assert ACCURACY.interval((0.25, 0.5)) == (25, 50)


def test_what_rounds_to_nothing_has_no_minus() -> None:
    assert ACCURACY.number(-0.001, sign="+") == "+0.00"
    assert ACCURACY.number(-0.0) == "0.00"
    assert ACCURACY.number(-0.006) == "-0.01"
    assert PLAIN.number(-1e-9) == "-1e-09", "of an unknown size"
    assert PLAIN.number(0.1 * 3 - 0.3, sign="+") == "+0", "0 up to rounding, as the kappa of chance"


def test_turned_scores_are_shown_as_they_were() -> None:
    assert ERRORS.shown(-0.25) == "0.25 per word"
    assert ERRORS.interval((-0.5, -0.25)) == (0.25, 0.5)
    assert ERRORS.points == "per word"
    assert ERRORS.difference(0.0) == "+0", "no -0, although the sign is turned"
    assert ACCURACY.difference(-1e-6) == "+0.00"


def test_a_metric_without_a_unit_has_no_comma() -> None:
    assert (PLAIN.title("validation"), PLAIN.column("test"), PLAIN.shown(0.5)) == ("validation F1", "test", "0.5")
    assert PLAIN.value(0.5) == pytest.approx(0.5)
