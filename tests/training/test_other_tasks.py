"""Several labels per sample, and numbers: losses, predictions, and metrics against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score, mean_absolute_error, r2_score, root_mean_squared_error
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

from autoaug.errors import OptionError
from autoaug.training.metrics import (
    Measured,
    check_metric,
    get_metric,
    measured,
    metric_record,
    metrics_of,
    statistics_of,
)
from autoaug.training.tasks import MultiLabel, Regression, Task, task_for

ROWS = 600


def labeled(width: int = 4, seed: int = 0) -> tuple[Task, np.ndarray, np.ndarray]:
    """Labels of different frequency, one of them without a sample, and probabilities with ties."""
    draw = np.random.default_rng(seed)
    labels = draw.random((ROWS, width)) < np.array([0.5, 0.2, 0.1, 0.0][:width])
    scores = np.round(np.clip(0.35 * labels + 0.6 * draw.random((ROWS, width)), 0, 1), 2).astype(np.float32)
    return MultiLabel(width), labels, scores


def measurements(width: int = 2, seed: int = 0) -> tuple[Task, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    numbers = draw.normal(100, [3.0, 0.2][:width], (ROWS, width)).astype(np.float32)
    return (
        task_for(numbers, "ab"[:width]),
        numbers,
        numbers + draw.normal(0, [1.0, 0.1][:width], numbers.shape).astype("f4"),
    )


def _mean_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    known = labels.any(0)
    return float(average_precision_score(labels[:, known], scores[:, known], average="macro"))


ORACLES: dict[str, tuple[Callable[[], tuple[Task, np.ndarray, np.ndarray]], Callable[..., float]]] = {
    "map": (labeled, _mean_precision),
    "macro-f1": (labeled, lambda y, s: float(f1_score(y[:, y.any(0)], s[:, y.any(0)] >= 0.5, average="macro"))),
    "micro-f1": (labeled, lambda y, s: float(f1_score(y, s >= 0.5, average="micro"))),
    "rmse": (
        measurements,
        lambda y, s: float(np.sqrt(np.mean(root_mean_squared_error(y, s, multioutput="raw_values") ** 2))),
    ),
    "mae": (measurements, mean_absolute_error),
    "r2": (measurements, r2_score),
}


@pytest.mark.parametrize("name", ORACLES)
def test_metrics_are_those_of_scikit_learn(name: str) -> None:
    made, oracle = ORACLES[name]
    task, labels, scores = made()
    metric = get_metric(name, task)
    assert metric.of(statistics_of(metric, task, scores, labels)) == pytest.approx(oracle(labels, scores), rel=1e-5)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("grouped", [False, True])
def test_influence_is_what_leaving_out_a_cluster_changes(name: str, grouped: bool) -> None:
    task, labels, scores = ORACLES[name][0]()
    metric = get_metric(name, task)
    statistics = statistics_of(metric, task, scores, labels)
    clusters = np.arange(ROWS) // 3 if grouped else np.arange(ROWS)
    count = clusters.max() + 1
    influence = metric.influence(statistics, clusters if grouped else None)
    whole = metric.of(statistics)
    left_out = np.array([(count - 1) * (whole - metric.of(statistics[clusters != k])) for k in range(count)])
    assert influence.mean() == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(influence, left_out)[0, 1] > 0.98
    assert influence.std() == pytest.approx(left_out.std(), rel=0.15)


@pytest.mark.parametrize("offset", [2**10, 2**17, -(2**20)])
def test_the_share_of_variance_and_its_interval_are_the_same_for_numbers_far_from_0(offset: int) -> None:
    """Such as years, or seconds since 1970: from their sums, the interval was NaN, and then the share itself."""
    draw = np.random.default_rng(0)
    numbers = (draw.integers(-32, 32, (ROWS, 2)) / 8).astype(np.float32)  # exact, also with the offset
    scores = numbers + (draw.integers(-16, 16, (ROWS, 2)) / 8).astype(np.float32)

    def of(labels: np.ndarray, predicted: np.ndarray) -> Measured:
        task = task_for(labels, "ab")
        return measured(get_metric("r2", task), task, predicted, labels)

    near, far = of(numbers, scores), of(numbers + offset, scores + offset)
    assert far.value == pytest.approx(r2_score(numbers.astype(np.float64), scores.astype(np.float64)), rel=1e-9)
    np.testing.assert_allclose(far.influence, near.influence, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("made", "default"), [(labeled, "map"), (measurements, "rmse")])
def test_each_task_has_a_default_metric_and_all_are_measured(
    made: Callable[[], tuple[Task, np.ndarray, np.ndarray]], default: str
) -> None:
    task, labels, scores = made()
    assert next(iter(metrics_of(task))) == default
    for name, metric in metrics_of(task).items():
        check_metric(name, task, {"validation": labels})
        assert len(measured(metric, task, scores, labels).influence) == ROWS
    assert metric_record(get_metric(default, task)).larger_is_better == (default == "map")
    with pytest.raises(OptionError, match=r"accuracy.*is for classification, and this is"):
        get_metric("accuracy", task)


def test_the_loss_of_labels_is_binary_cross_entropy() -> None:
    task, labels, _ = labeled()
    outputs, targets = (
        torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(0)),
        task.targets(torch.from_numpy(labels)),
    )
    expected = binary_cross_entropy(outputs.sigmoid(), targets, reduction="none").mean(1)
    torch.testing.assert_close(task.loss(outputs, targets), expected)
    smoothed = binary_cross_entropy(outputs.sigmoid(), 0.9 * targets + 0.05, reduction="none").mean(1)
    torch.testing.assert_close(task.loss(outputs, targets, smoothing=0.1), smoothed)
    torch.testing.assert_close(task.divergence(outputs, outputs), torch.zeros(ROWS))
    assert (task.divergence(outputs, outputs.flip(0)) >= 0).all()


def test_rare_labels_can_count_as_much_as_their_absence() -> None:
    labels = np.array([[True], [False], [False], [False]])
    task = task_for(labels, "a", is_balanced=True)
    losses = task.loss(torch.zeros(4, 1), task.targets(torch.from_numpy(labels)))
    assert losses[0] == pytest.approx(losses[1:].sum())
    assert task_for(np.ones((4, 1), bool), "a", is_balanced=True).weights == (1 / 3,), "0 would teach nothing"
    outputs, targets = torch.linspace(-3, 3, 5)[:, None], torch.linspace(0, 1, 5)[:, None]
    expected = binary_cross_entropy_with_logits(outputs, targets, pos_weight=torch.tensor([3.0]), reduction="none")
    torch.testing.assert_close(task.loss(outputs, targets), expected[:, 0])


@pytest.mark.parametrize("has", [False, True])
def test_smoothing_makes_no_rare_class_or_label_of_a_frequent_one(has: bool) -> None:
    """The least loss of a sample whose label is known is where it is without weights, at its smoothed label."""
    rare = np.arange(300) < 3
    several = task_for(np.stack([rare, ~rare], 1), "ab", is_balanced=True)
    one_of = task_for((~rare).astype(np.int64), "ab", is_balanced=True)
    target = torch.tensor([[float(has), float(not has)]])
    smoothed = 0.05 + 0.9 * target
    for task, outputs in ((several, torch.logit(smoothed)), (one_of, smoothed.log())):
        (gradient,) = torch.autograd.grad(task.loss(outputs.requires_grad_(), target, 0.1).sum(), outputs)
        torch.testing.assert_close(gradient, torch.zeros(1, 2), atol=1e-4, rtol=0)


def test_numbers_are_learned_standardized_and_predicted_in_their_unit() -> None:
    task, numbers, _ = measurements()
    targets = task.targets(torch.from_numpy(numbers))
    assert targets.mean(0).abs().max() < 1e-3
    assert targets.std(0) == pytest.approx([1, 1], abs=0.01)
    np.testing.assert_allclose(task.predict(targets), numbers, rtol=1e-5)
    torch.testing.assert_close(task.loss(targets, targets), torch.zeros(ROWS))
    mixed = 0.3 * targets[:1] + 0.7 * targets[1:2]  # as MixUp mixes them
    np.testing.assert_allclose(task.predict(mixed), 0.3 * numbers[:1] + 0.7 * numbers[1:2], rtol=1e-5)
    assert task_for(np.ones((5, 1), np.float32), "a") == Regression((1.0,), (1.0,)), "a constant is no division by zero"
