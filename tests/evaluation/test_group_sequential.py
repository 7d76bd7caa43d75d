"""Looking more than once spends the error, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from autoaug.evaluation.comparing import Paired
from autoaug.evaluation.group_sequential import (
    interim_analyses,
    is_futile,
    levels,
    median_unbiased,
    reach_at,
    repeated_p_value,
    was_decided,
)
from autoaug.evaluation.statistics import Errors, seed_errors


def test_looks_are_even_and_end_at_the_most() -> None:
    assert interim_analyses(5, 16) == (5, 9, 12, 16)
    assert interim_analyses(5, 5) == (5,)
    assert interim_analyses(5, 6) == (5, 6)
    assert interim_analyses(2, 4) == (2, 3, 4)


def test_one_look_is_the_plain_test() -> None:
    assert levels((8,)) == pytest.approx((0.05,), abs=1e-4)


def test_five_even_looks_have_the_bounds_of_the_literature() -> None:
    """Kim and DeMets's spending in proportion to time, five looks, two-sided 0.05 (Jennison and Turnbull, 2000)."""
    bounds = [stats.norm.isf(level / 2) for level in levels((1, 2, 3, 4, 5))]
    assert bounds == pytest.approx([2.576, 2.490, 2.404, 2.340, 2.280], abs=0.005)


@pytest.mark.parametrize("planned", [(5, 9, 12, 16), (3, 4, 20), (2, 16)])
def test_the_error_is_spent_as_planned(planned: tuple[int, ...]) -> None:
    uniforms = np.random.default_rng(0).standard_normal((200_000, planned[-1]))
    crossed = np.zeros(len(uniforms), bool)
    for n, level in zip(planned, levels(planned), strict=True):
        crossed |= np.abs(uniforms[:, :n].sum(1)) / np.sqrt(n) > stats.norm.isf(level / 2)
        assert crossed.mean() == pytest.approx(0.05 * n / planned[-1], abs=0.0025)


PLANNED = interim_analyses(5, 16)


def futile(differences: Sequence[float], planned: tuple[int, ...], samples: float = 0.0) -> bool:
    own = seed_errors(differences, 0.0)
    errors = Errors(own.seeds, own.seeds_freedom, samples)
    return is_futile(float(np.mean(differences)), errors, planned, planned.index(len(differences)))


def test_hope_follows_the_trend() -> None:
    assert futile([-0.01, -0.02, 0.0, -0.01, 0.005], PLANNED)
    assert futile([0.001, -0.01, 0.012, -0.008, 0.006], PLANNED)
    assert not futile([0.01, 0.0, 0.012, -0.002, 0.008], PLANNED)
    assert futile([0.01] * 5, PLANNED), "no deviation: there is nothing that seeds could tell"
    assert futile(list(np.linspace(0, 0.02, 16)), PLANNED), "there is no further look"


def test_seeds_are_futile_where_test_samples_are_what_is_missing() -> None:
    hopeful = [0.01, 0.0, 0.012, -0.002, 0.008]
    assert not futile(hopeful, PLANNED, samples=0.001)
    assert futile(hopeful, PLANNED, samples=0.006)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("samples", [0.0, 0.5])
def test_the_p_value_is_below_the_error_where_the_interval_leaves_out_zero(number: int, samples: float) -> None:
    errors = Errors(1.0, PLANNED[number] - 1, samples, 50)
    reach = reach_at(errors, PLANNED, number).total
    assert repeated_p_value(1.001 * reach, errors, PLANNED, number) < 0.05
    assert repeated_p_value(0.999 * reach, errors, PLANNED, number) > 0.05
    assert repeated_p_value(100 * reach, errors, PLANNED, number) < repeated_p_value(reach, errors, PLANNED, number)
    assert repeated_p_value(0.0, errors, PLANNED, number) == 1.0


def test_of_a_single_analysis_the_p_value_is_students() -> None:
    values = [0.01, 0.02, -0.005, 0.012, 0.001]
    expected = stats.ttest_1samp(values, 0).pvalue
    for planned in ((), (5,)):
        assert repeated_p_value(float(np.mean(values)), seed_errors(values, 0.0), planned, 0) == pytest.approx(expected)


def stopped(truth: float, count: int) -> tuple[list[float], list[float]]:
    """Means at the time of stopping, and the estimates that allow for it."""
    draw, means, estimates = np.random.default_rng(0), [], []
    for row in truth + draw.standard_normal((count, PLANNED[-1])):
        for number, seeds in enumerate(PLANNED):
            errors, mean = seed_errors(row[:seeds].tolist(), 0.0), float(row[:seeds].mean())
            if abs(mean) > reach_at(errors, PLANNED, number).total:
                break
        means.append(mean)
        estimates.append(median_unbiased(mean, errors, PLANNED, number))
    return means, estimates


def test_the_estimate_is_as_often_too_high_as_too_low() -> None:
    """The mean itself is too high where luck stops early."""
    means, estimates = (np.array(values) for values in stopped(1.0, 500))
    assert stats.binomtest(int((estimates > 1.0).sum()), 500).pvalue > 0.01
    assert (means > 1.0).mean() - (estimates > 1.0).mean() > 0.01
    assert abs(estimates.mean() - 1.0) < abs(means.mean() - 1.0)


def test_an_estimate_is_the_mean_where_seeds_were_added_for_another_difference() -> None:
    """The stagewise order would take a difference for small that was decided at once and only then had more seeds."""
    draw, estimates, last = np.random.default_rng(0), [], len(PLANNED) - 1
    for row in 3.0 + draw.standard_normal((500, PLANNED[-1])):
        one = Paired(tuple(row.tolist()), seed_errors(row.tolist(), 0.0), PLANNED)
        estimates.append(one.difference)
        assert one.ci95[0] < one.difference < one.ci95[1]
    assert stats.binomtest(int((np.array(estimates) > 3.0).sum()), 500).pvalue > 0.01
    late = [1.0, -1.0] * 6 + [4.0] * 4
    errors = seed_errors(late, 0.0)
    assert not was_decided(late, errors, PLANNED, last)
    assert Paired(tuple(late), errors, PLANNED).difference == median_unbiased(np.mean(late), errors, PLANNED, last)


def test_the_first_analysis_needs_no_adjustment() -> None:
    assert median_unbiased(0.3, Errors(0.1, 4), PLANNED, 0) == 0.3
    assert median_unbiased(0.3, Errors(0.1, 15), (), 0) == 0.3
    assert median_unbiased(-0.3, Errors(0.1, 15), PLANNED, 3) == -median_unbiased(0.3, Errors(0.1, 15), PLANNED, 3)
