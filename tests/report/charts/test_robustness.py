"""The robustness of a model to corruptions."""

from __future__ import annotations

import pytest

from autoaug.report.charts.robustness import corrupted
from autoaug.results.robustness import Robustness


def test_the_worst_corruption_stands_last_before_the_mean() -> None:
    values = {"fog": (0.8, 0.7, 0.6, 0.5, 0.2), "blur": (0.8, 0.7, 0.6, 0.5, 0.4)}
    lines = corrupted(Robustness(inputs=9, attack="PGD", clean=0.9, attacked=0.2, corrupted=values))
    assert list(lines) == ["blur", "fog", "mean"]
    assert lines["mean"] == pytest.approx((90, 80, 70, 60, 50, 30))
