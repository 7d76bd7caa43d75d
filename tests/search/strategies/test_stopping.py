"""When a search says that hardly anything is left to gain, it is right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autoaug.search.strategies.stopping import chance_of_gain
from tests.search.strategies.test_shrinkage import record


@pytest.mark.parametrize("best", [0.8, 0.98])
def test_when_hardly_anything_is_left_to_gain_is_said_rightly(best: float) -> None:
    """A simulation of spaces: 12 of 40 policies were tried once. Where the chance of half a point is said to be below a
    tenth, it is there in at most one of ten.
    """
    draw, low, all_gains = np.random.default_rng(0), [], []
    unit = 2 * np.sqrt(best * (1 - best))
    for _ in range(300):
        middle, width = unit * draw.normal(-0.04, 0.03), unit * draw.uniform(0.002, 0.02)
        truth = np.append(0, draw.normal(middle, width, 40))
        scores = best + truth[:13] + draw.normal(0, 0.0125 * unit, 13)
        baseline = replace(record(0, "known", scores[0]), is_baseline=True)
        trials = [baseline, *(record(i, str(i), score) for i, score in enumerate(scores[1:], 1))]
        all_gains.append(truth[1:].max() >= 0.005)
        if chance_of_gain(trials, 0.25, 28, 0.005) < 0.1:
            low.append(all_gains[-1])
    assert 0.05 < np.mean(all_gains) < 0.9, "both happen"
    assert len(low) > 30, "it is said at all"
    assert np.mean(low) < 0.1


def test_with_few_trials_nothing_is_said() -> None:
    baseline = replace(record(0, "known", 0.99), is_baseline=True)
    assert chance_of_gain([baseline, *(record(i, str(i), 0.1) for i in range(1, 8))], 0.25, 10, 0.005) == 1
    assert chance_of_gain([record(i, str(i), 0.1) for i in range(20)], 0.25, 10, 0.005) == 1
    alike = [record(i, str(i), 0.1) for i in range(1, 20)]
    assert chance_of_gain([baseline, *alike], 0.25, 10, 0.005) < 0.01
    assert chance_of_gain([baseline, *alike], 1.0, 10, 0.005) == 1, "on another share of the data"
