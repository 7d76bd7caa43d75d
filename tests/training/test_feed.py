"""The batches of a training: chunks end at rungs, and each pass uses every image."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from autoaug.training.chunks import chunk_sizes
from autoaug.training.feed import in_order, shuffled
from autoaug.training.optimizers import one_cycle
from autoaug.training.recipe import Recipe


@given(st.integers(1, 500), st.integers(1, 60), st.lists(st.floats(0.01, 1), max_size=3))
def test_chunks_cover_all_steps_and_end_at_every_stop(steps: int, at_once: int, shares: list[float]) -> None:
    stops = [int(np.ceil(share * steps)) for share in shares]
    sizes = chunk_sizes(steps, at_once, stops)
    assert sum(sizes) == steps
    assert max(sizes) <= at_once
    assert min(sizes) >= 1
    assert set(stops) <= set(itertools.accumulate(sizes))


@given(st.integers(1, 50), st.lists(st.integers(1, 70), min_size=1, max_size=8))
def test_every_pass_sees_every_image_once(count: int, sizes: list[int]) -> None:
    batches = list(shuffled(np.arange(count), sizes, torch.Generator().manual_seed(0)))
    assert [len(batch) for batch in batches] == sizes
    seen = np.concatenate(batches)
    for start in range(0, len(seen) - count + 1, count):
        assert sorted(seen[start : start + count]) == list(range(count))


def test_the_learning_rate_rises_to_one_and_falls_to_nothing() -> None:
    rates = [one_cycle(done) for done in np.linspace(0, 1, 101)]
    assert rates[0] == 0.04
    assert rates[25] == max(rates) == 1
    assert rates[100] < 1e-9
    assert all(a < b for a, b in itertools.pairwise(rates[:26]))
    assert all(a > b for a, b in itertools.pairwise(rates[25:]))


def test_in_order_misses_nothing() -> None:
    assert np.concatenate(list(in_order(np.arange(10), 4))).tolist() == list(range(10))


@given(st.integers(1, 5000), st.integers(1, 8), st.integers(8, 256), st.integers(1, 50))
def test_equal_samples_are_equal_up_to_one_step(samples: int, copies: int, batch_size: int, epochs: int) -> None:
    recipe = Recipe(epochs=epochs, batch_size=batch_size)
    seen = recipe.steps(samples, copies) * recipe.samples_per_step(copies)
    assert epochs * samples <= seen < epochs * samples + recipe.samples_per_step(copies)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(0, 9))
def test_with_strata_a_pass_has_equally_many_of_each(strata: list[int], seed: int) -> None:
    labels = np.array(strata)
    counts = np.bincount(labels)
    present, most = np.flatnonzero(counts), counts.max()
    size = int(most * len(present))
    first, second = shuffled(np.arange(len(labels)) + 5, [size, size], torch.Generator().manual_seed(seed), labels)
    for rows in (first, second):
        assert (np.bincount(labels[rows - 5], minlength=4)[present] == most).all()
        times = np.bincount(rows - 5, minlength=len(labels))
        for stratum in present:  # no sample is repeated twice more often than another of its class
            assert np.ptp(times[labels == stratum]) <= 1
