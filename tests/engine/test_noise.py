"""The noise of operators against MurmurHash3's definition in Python's integers, and SciPy's distributions."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from autoaug.functional.noise import normal_noise, random_bits, uniform_noise

UNIFORM = st.integers(0, 2**24 - 1)


def finalized(x: int) -> int:
    """Appleby's ``fmix32``."""
    x ^= x >> 16
    x = x * 0x85EBCA6B % 2**32
    x ^= x >> 13
    x = x * 0xC2B2AE35 % 2**32
    return x ^ (x >> 16)


@given(UNIFORM, UNIFORM)
def test_bits_are_those_of_the_definition(first: int, second: int) -> None:
    uniforms = torch.tensor([[first / 2**24, second / 2**24, 0, 0]])
    expected = [finalized(finalized((i + (first << 8)) % 2**32) ^ second) for i in range(50)]
    assert random_bits(uniforms, 50).tolist() == [expected]


def test_noise_has_its_distribution_and_differs_between_samples() -> None:
    uniforms = torch.rand(4, 4, generator=torch.Generator().manual_seed(0))
    for made, distribution in (
        (uniform_noise(uniforms, (5000,)), "uniform"),
        (normal_noise(uniforms, (5000,)), "norm"),
    ):
        for row in made.numpy():
            assert stats.kstest(row, distribution).pvalue > 1e-3
        assert abs(torch.corrcoef(made)).fill_diagonal_(0).max() < 0.06
