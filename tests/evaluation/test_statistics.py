"""The statistics agree with SciPy and with closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from autoaug.evaluation.statistics import (
    Errors,
    corrected_errors,
    crossed_errors,
    estimate,
    estimate_within,
    mcnemar,
    seed_errors,
    verdict_of,
)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=20))
def test_the_estimate_is_students(values: list[float]) -> None:
    resolution = 0.0 if np.std(values) > 1e-6 else 1e-3
    estimated = estimate(values, resolution)
    if np.std(values) > 1e-6:
        test = stats.ttest_1samp(values, 0)
        interval = test.confidence_interval(0.95)
        p_value = seed_errors(values, resolution).p_value(estimated.mean)
        assert p_value == pytest.approx(test.pvalue, abs=1e-9)
        assert estimated.ci95 == pytest.approx((interval.low, interval.high))
    assert estimated.ci95[0] <= estimated.mean <= estimated.ci95[1]


def test_equal_values_are_known_to_within_a_step_only() -> None:
    estimated = estimate([0.01] * 5, resolution=0.01)
    assert estimated.ci95[0] < 0.01 < estimated.ci95[1]
    assert 0 < seed_errors([0.01] * 5, 0.01).p_value(0.01) < 1
    assert seed_errors([0.0] * 5, 0.01).p_value(0.0) == 1.0


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
    p_value = mcnemar(first, second)
    assert (p_value.only_first, p_value.only_second) == (12, 3)
    assert p_value.p_value == pytest.approx(sum(stats.binom.pmf(k, 15, 0.5) for k in (0, 1, 2, 3)) * 2)
    assert mcnemar(first, first).p_value == 1.0


def table(draw: np.random.Generator, seeds: int, samples: int, parts: tuple[float, float, float]) -> np.ndarray:
    """A table of seeds by samples around 0, with those deviations of the seeds' effects, the samples', and the rest."""
    of_seeds, of_samples, rest = parts
    return np.asarray(
        draw.normal(0, of_seeds, (seeds, 1))
        + draw.normal(0, of_samples, samples)
        + draw.normal(0, rest, (seeds, samples))
    )


def errors_of(cells: np.ndarray, resolution: float = 0.0) -> Errors:
    values = cells.mean(1)
    return crossed_errors(values.tolist(), cells - values[:, None], resolution)


def test_crossed_parts_are_those_of_the_analysis_of_variance() -> None:
    """Mean squares of a two-way table without replication, from SciPy's one-way tests of rows and columns."""
    cells = table(np.random.default_rng(0), 6, 50, (0.3, 1.0, 0.7))
    seeds, samples = cells.shape
    rows = stats.f_oneway(*cells).statistic
    grand, of_rows, of_columns = cells.mean(), cells.mean(1), cells.mean(0)
    rest = ((cells - of_rows[:, None] - of_columns + grand) ** 2).sum() / ((seeds - 1) * (samples - 1))
    between = samples * of_rows.var(ddof=1)
    within = ((cells - of_rows[:, None]) ** 2).sum() / (seeds * (samples - 1))
    assert rows == pytest.approx(between / within)
    errors = errors_of(cells)
    assert errors.seeds**2 == pytest.approx(of_rows.var(ddof=1) / seeds)
    assert errors.samples**2 == pytest.approx((seeds * of_columns.var(ddof=1) - rest) / seeds / samples)


def test_the_parts_are_unbiased() -> None:
    draw, parts = np.random.default_rng(1), (0.1, 1.0, 3.0)
    parts_of_error = [errors_of(table(draw, 5, 200, parts)) for _ in range(1000)]
    assert np.mean([errors.seeds**2 for errors in parts_of_error]) == pytest.approx((0.1**2 + 9 / 200) / 5, rel=0.05)
    assert np.mean([errors.samples**2 for errors in parts_of_error]) == pytest.approx(1 / 200, rel=0.1)


@pytest.mark.parametrize("parts", [(0.1, 0.0, 1.0), (0.0, 1.0, 1.0), (0.1, 1.0, 1.0)])
def test_the_crossed_interval_holds_the_truth_at_least_as_often_as_it_says(parts: tuple[float, float, float]) -> None:
    draw, held = np.random.default_rng(2), 0
    for _ in range(1000):
        cells = table(draw, 5, 100, parts)
        low, high = estimate_within(cells.mean(1).tolist(), errors_of(cells)).ci95
        held += low <= 0 <= high
    assert stats.binomtest(held, 1000, 0.95, alternative="less").pvalue > 1e-3


def test_few_samples_that_differ_are_few_degrees_of_freedom() -> None:
    cells = np.zeros((5, 1000))
    cells[:, :4] = 1.0
    errors = errors_of(cells)
    assert errors.samples_freedom == pytest.approx(3, abs=0.1)
    assert errors.samples == pytest.approx(math.sqrt(4) / 1000, rel=0.01)
    assert errors.seeds == 0


@pytest.mark.parametrize("clusters", [2, 3, 5])
@pytest.mark.parametrize("parts", [(0.0, 1.0, 1.0), (0.0, 1.0, 0.1), (0.5, 1.0, 0.5)])
def test_few_clusters_hold_the_truth_as_often_as_many(clusters: int, parts: tuple[float, float, float]) -> None:
    draw, held = np.random.default_rng(3), 0
    for _ in range(1000):
        cells = table(draw, 5, clusters, parts)
        low, high = estimate_within(cells.mean(1).tolist(), errors_of(cells)).ci95
        held += low <= 0 <= high
    assert stats.binomtest(held, 1000, 0.95, alternative="less").pvalue > 1e-3


def test_without_noise_two_clusters_have_the_interval_of_students_t() -> None:
    """Of the two clusters' values, with one degree of freedom."""
    cells = np.array([[0.2, 0.5]] * 4)
    interval = stats.ttest_1samp(cells[0], 0).confidence_interval(0.95)
    assert estimate_within(cells.mean(1).tolist(), errors_of(cells)).ci95 == pytest.approx(interval)


def test_one_cluster_tells_nothing_of_others() -> None:
    errors = errors_of(np.array([[0.1], [0.2], [0.15]]))
    assert errors.samples == math.inf
    assert errors.reach().total == math.inf
    assert errors.p_value(0.15) == 1.0


def test_the_p_value_is_the_level_at_which_the_interval_ends_at_zero() -> None:
    errors = Errors(0.3, 4, 0.5, 30)
    p_value = errors.p_value(1.1)
    assert errors.reach(p_value).total == pytest.approx(1.1)
    assert errors.p_value(0.0) == 1.0
    assert errors.p_value(1e9) == pytest.approx(0, abs=1e-9)
    assert Errors(0.3, 4, 1e-9).p_value(1.1) == pytest.approx(Errors(0.3, 4).p_value(1.1), rel=1e-6)


def test_nadeau_and_bengio_correct_the_variance() -> None:
    """Their test statistic, written out."""
    values, test_share = [0.02, 0.03, -0.01, 0.025, 0.01], 0.25
    errors = corrected_errors(values, 0.0, test_share)
    estimated = estimate_within(values, errors)
    statistic = np.mean(values) / math.sqrt((1 / 5 + test_share) * np.var(values, ddof=1))
    assert errors.p_value(estimated.mean) == pytest.approx(2 * stats.t.sf(abs(statistic), 4))
    reach = (estimated.ci95[1] - estimated.ci95[0]) / 2
    assert reach == pytest.approx(stats.t.isf(0.025, 4) * np.mean(values) / statistic)
    assert corrected_errors(values[:1], 0.0, test_share).reach().total == math.inf
    without = corrected_errors(values, 0.0, 0.0)
    assert without.reach() == seed_errors(values, 0.0).reach()


def test_of_one_value_nothing_is_known() -> None:
    assert estimate([0.5], 0.01).ci95 == (-math.inf, math.inf)
    assert seed_errors([0.5], 0.01).p_value(0.5) == 1.0


@pytest.mark.parametrize(("samples", "gain"), [(20, 0.03), (100, 0.01), (400, 0.0025)])
def test_where_no_sample_differs_the_interval_still_allows_for_those_that_may(samples: int, gain: float) -> None:
    """One policy is better on a share of samples in every seed, and in a third of the cases none of them is tested."""
    draw, held, unseen = np.random.default_rng(0), [], []
    for _ in range(400):
        better = (draw.random(samples) < gain).astype(float)
        values, influence = [float(better.mean())] * 5, np.tile(better - better.mean(), (5, 1))
        reach = crossed_errors(values, influence, 1 / samples).reach().total
        held.append(abs(values[0] - gain) <= reach)
        unseen.append(not better.any())
    assert 0.2 < np.mean(unseen) < 0.7
    assert np.mean(held) > 0.93


@pytest.mark.parametrize("wrong", [[0], [0, 0, 0, 0, 0], [0, 1, 2, 3, 4]])
def test_a_few_samples_that_differ_do_not_look_more_certain_than_none(wrong: list[int]) -> None:
    """One sample that differs in one seed made the interval five times narrower than none at all."""
    cells = np.zeros((5, 100))
    cells[np.arange(len(wrong)), wrong] = 1.0
    assert errors_of(cells, 1 / 100).reach().samples >= 0.0299


def test_without_any_that_differ_folds_end_at_three_samples_too() -> None:
    errors = corrected_errors([0.0] * 15, 1 / 40, 1 / 4, tested=200)
    assert errors.reach().samples == pytest.approx(3 / 200, rel=0.01)


def test_recut_folds_of_few_groups_remain_few_groups() -> None:
    values = list(np.random.default_rng(0).normal(0, 0.05, 32))
    few, many = (corrected_errors(values, 1 / 400, 1.0, tested=800, groups=groups) for groups in (2, 100))
    assert few.samples == many.samples
    assert (few.samples_freedom, many.samples_freedom) == (1, 31)


def test_no_number_is_no_verdict() -> None:
    assert verdict_of((math.nan, math.nan)) == "no significant difference"
    assert [verdict_of(interval) for interval in ((0.1, 0.2), (-0.2, -0.1), (-0.1, 0.2))] == [
        "better",
        "worse",
        "no significant difference",
    ]
