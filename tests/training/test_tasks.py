"""Tasks and metrics against PyTorch and scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from autoaug.training.metrics import Accuracy, SumMetric, metric_record, score
from autoaug.training.tasks import Classification, balanced_weights

TASK = Classification(4)
OUTPUTS = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)) * 3
LABELS = torch.arange(30) % 4


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_each_sample_is_cross_entropy_and_has_its_gradient(smoothing: float) -> None:
    ours, theirs = (OUTPUTS.clone().requires_grad_() for _ in range(2))
    losses = TASK.loss(ours, TASK.targets(LABELS), smoothing)
    expected = cross_entropy(theirs, LABELS, label_smoothing=smoothing)
    assert losses.shape == (30,)
    torch.testing.assert_close(losses.mean(), expected)
    losses.mean().backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_the_divergence_is_kullback_and_leiblers() -> None:
    others = OUTPUTS.roll(1, 0)
    expected = kl_div(log_softmax(OUTPUTS, 1), log_softmax(others, 1), reduction="batchmean", log_target=True)
    torch.testing.assert_close(TASK.divergence(OUTPUTS, others).mean(), expected)
    torch.testing.assert_close(TASK.divergence(OUTPUTS, OUTPUTS), torch.zeros(30))


def test_accuracy_is_what_scikit_learn_makes_of_it() -> None:
    predictions = TASK.decide(TASK.predict(OUTPUTS))
    statistics = Accuracy().statistics(predictions, LABELS.numpy())
    assert predictions.dtype == np.uint16
    assert score(Accuracy(), statistics) == accuracy_score(LABELS, predictions)
    halves = [statistics[:11].sum(0), statistics[11:].sum(0)]
    assert Accuracy().value(sum(halves)) == accuracy_score(LABELS, predictions), "statistics of parts add up"
    assert np.isnan(score(Accuracy(), statistics[:0]))
    assert metric_record(Accuracy()).is_share


@dataclass(frozen=True)
class SquaredError(SumMetric):
    """A metric where lower is better."""

    name: str = "mean squared error"
    unit: str = "mm²"
    larger_is_better: bool = False

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.stack([(predictions - targets) ** 2, np.ones(len(targets))], 1)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1])


def test_a_score_is_the_higher_the_better_whatever_the_metric() -> None:
    good, bad = (score(SquaredError(), SquaredError().statistics(np.full(5, off), np.zeros(5))) for off in (1.0, 2.0))
    assert (good, bad) == (-1.0, -4.0)
    assert not metric_record(SquaredError()).is_share


def test_balanced_weights_are_scikit_learns_and_weigh_the_loss() -> None:
    labels = np.repeat([0, 1, 2, 3], [40, 10, 5, 1])
    weights = balanced_weights(labels, 4)
    np.testing.assert_allclose(weights, compute_class_weight("balanced", classes=np.arange(4), y=labels))
    assert balanced_weights(labels, 5)[:4] == weights, "a class without samples has no say"
    task, targets, each = Classification(4, weights), TASK.targets(LABELS), torch.tensor(weights)
    expected = cross_entropy(OUTPUTS, LABELS, each, reduction="none")
    torch.testing.assert_close(task.loss(OUTPUTS, targets), expected)
    smoothed = each[LABELS] * cross_entropy(OUTPUTS, LABELS, label_smoothing=0.1, reduction="none")
    torch.testing.assert_close(task.loss(OUTPUTS, targets, 0.1), smoothed)
    mixed = torch.lerp(targets.flip(0), targets, 0.3)
    both = 0.3 * task.loss(OUTPUTS, targets, 0.1) + 0.7 * task.loss(OUTPUTS, targets.flip(0), 0.1)
    torch.testing.assert_close(task.loss(OUTPUTS, mixed, 0.1), both)


def test_predictions_are_probabilities_and_the_most_likely_class_is_decided() -> None:
    scores = TASK.predict(OUTPUTS)
    assert (scores.dtype, scores.shape) == (np.float32, (30, 4))
    np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(TASK.decide(scores), OUTPUTS.argmax(1))
