"""Looking more than once spends the error, and no more than that."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from autoaug.evaluation.group_sequential import interim_analyses, is_futile, levels


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


def test_hope_follows_the_trend() -> None:
    planned = interim_analyses(5, 16)
    assert is_futile([-0.01, -0.02, 0.0, -0.01, 0.005], planned)
    assert is_futile([0.001, -0.01, 0.012, -0.008, 0.006], planned)
    assert not is_futile([0.01, 0.0, 0.012, -0.002, 0.008], planned)
    assert is_futile([0.01] * 5, planned), "no deviation: there is nothing that seeds could tell"
    assert is_futile(list(np.linspace(0, 0.02, 16)), planned), "there is no further look"
