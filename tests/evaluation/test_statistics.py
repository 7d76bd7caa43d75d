"""The statistics agree with SciPy and with closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from autoaug.evaluation.statistics import estimate, mcnemar


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=20))
def test_the_estimate_is_students(values: list[float]) -> None:
    found = estimate(values, resolution=0.0 if np.std(values) > 1e-6 else 1e-3)
    if np.std(values) > 1e-6:
        test = stats.ttest_1samp(values, 0)
        interval = test.confidence_interval(0.95)
        assert found.p_value == pytest.approx(test.pvalue, abs=1e-9)
        assert found.ci95 == pytest.approx((interval.low, interval.high))
    assert found.ci95[0] <= found.mean <= found.ci95[1]


def test_equal_values_are_known_to_within_a_step_only() -> None:
    found = estimate([0.01] * 5, resolution=0.01)
    assert found.ci95[0] < 0.01 < found.ci95[1]
    assert 0 < found.p_value < 1
    assert estimate([0.0] * 5, resolution=0.01).p_value == 1.0


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    held = [
        low <= 0.5 <= high
        for low, high in (estimate(draw.normal(0.5, 0.1, 5).tolist(), 1e-4).ci95 for _ in range(2000))
    ]
    assert stats.binomtest(sum(held), 2000, 0.95).pvalue > 1e-3


def test_mcnemar_is_the_exact_binomial_test() -> None:
    first = np.array([True] * 12 + [False] * 3 + [True] * 50)
    second = np.array([False] * 12 + [True] * 3 + [True] * 50)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (12, 3)
    assert found.p_value == pytest.approx(sum(stats.binom.pmf(k, 15, 0.5) for k in (0, 1, 2, 3)) * 2)
    assert mcnemar(first, first).p_value == 1.0
