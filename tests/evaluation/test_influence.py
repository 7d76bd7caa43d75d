"""What samples add to a score agrees with leaving them out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from autoaug.evaluation.clusters import score_influence
from autoaug.training.metrics import Accuracy, Metric, SumMetric, score


class F1(SumMetric):
    """Of the class 1: its hits, misses and false alarms."""

    name, unit, larger_is_better = "F1", "%", True

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        counts = [(predictions == 1) & (targets == 1), (predictions != 1) & (targets == 1)]
        return np.stack([*counts, (predictions == 1) & (targets != 1)], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(2 * total[0] / (2 * total[0] + total[1] + total[2]))


class ErrorRate(SumMetric):
    """Edits over words, as for speech: the smaller the better."""

    name, unit, larger_is_better = "word error rate", "%", False

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.stack([predictions, targets], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1])


def left_out(metric: Metric, statistics: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The jackknife: each cluster left out."""
    count, whole = clusters.max() + 1, score(metric, statistics)
    values = np.array([score(metric, statistics[clusters != number]) for number in range(count)])
    return (count - 1) * (whole - values)


@pytest.mark.parametrize("metric", [Accuracy(), F1(), ErrorRate()])
@pytest.mark.parametrize("clusters", [200, 40])
def test_it_is_the_jackknife(metric: Metric, clusters: int) -> None:
    draw = np.random.default_rng(0)
    targets = draw.integers(1 if isinstance(metric, ErrorRate) else 0, 4, 400)
    statistics = metric.statistics(draw.integers(0, 4, 400), targets)
    of = draw.permutation(np.arange(400) % clusters)
    ours, expected = score_influence(metric, statistics, of), left_out(metric, statistics, of)
    assert ours.mean() == pytest.approx(0, abs=1e-12)
    assert np.corrcoef(ours, expected)[0, 1] > 0.999
    assert ours.std() == pytest.approx(expected.std(), rel=0.03)


def test_of_accuracy_it_is_whether_the_sample_is_right() -> None:
    right = np.random.default_rng(1).random((3, 50)) < 0.7
    statistics = [Accuracy().statistics(row, np.ones(50, bool)) for row in right]
    expected = right - right.mean(1, keepdims=True)
    np.testing.assert_allclose([score_influence(Accuracy(), own) for own in statistics], expected, atol=1e-9)


def test_f1_is_scikit_learns() -> None:
    draw = np.random.default_rng(2)
    targets, predictions = draw.integers(0, 3, 99), draw.integers(0, 3, 99)
    ours = score(F1(), F1().statistics(predictions, targets))
    assert ours == pytest.approx(f1_score(targets == 1, predictions == 1))
