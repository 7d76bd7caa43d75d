"""Metrics against scikit-learn, and their influence against leaving samples out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    log_loss,
    roc_auc_score,
)

from autoaug.errors import OptionError
from autoaug.training.metrics import (
    AUROC,
    Metric,
    TokenLogLikelihood,
    check_metric,
    fraction_kept,
    get_metric,
    measured,
    metric_record,
    metrics_of,
    score,
    statistics_of,
)
from autoaug.training.tasks import Classification

Oracle = Callable[[np.ndarray, np.ndarray], float]


def _decided(function: Callable[..., float], **given: object) -> Oracle:
    return lambda labels, scores: function(labels, scores.argmax(1), **given)


def _area(labels: np.ndarray, scores: np.ndarray) -> float:
    if scores.shape[1] == 2:
        return float(roc_auc_score(labels, scores[:, 1]))
    return float(roc_auc_score(labels, scores, multi_class="ovr"))


ORACLES: dict[str, Oracle] = {
    "accuracy": _decided(accuracy_score),
    "balanced-accuracy": _decided(balanced_accuracy_score),
    "macro-f1": _decided(f1_score, average="macro"),
    "auroc": _area,
    "log-loss": lambda labels, scores: float(log_loss(labels, scores, labels=np.arange(scores.shape[1]))),
    "kappa": _decided(cohen_kappa_score),
}


def uneven(classes: int, rows: int = 160, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of uneven classes, and probabilities that know something about them, with ties."""
    draw = np.random.default_rng(seed)
    share = 0.5 ** np.arange(classes)
    labels = draw.choice(classes, rows, p=share / share.sum())
    labels[:classes] = np.arange(classes)
    raw = np.exp(np.round(draw.normal(0, 1, (rows, classes)) + 1.2 * np.eye(classes)[labels], 1))
    return labels, (raw / raw.sum(1, keepdims=True)).astype(np.float32)


def test_every_metric_has_an_oracle() -> None:
    assert list(metrics_of(Classification(3))) == list(ORACLES)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("classes", [2, 5])
def test_it_is_scikit_learns(name: str, classes: int) -> None:
    task, (labels, scores) = Classification(classes), uneven(classes)
    metric = get_metric(name, task)
    found = metric.of(statistics_of(metric, task, scores, labels))
    assert found == pytest.approx(ORACLES[name](labels, scores), rel=1e-6)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize(("classes", "clusters"), [(2, None), (4, 30)])
def test_the_influence_is_the_jackknife(name: str, classes: int, clusters: int | None) -> None:
    """What scikit-learn's metric loses without each sample, or each cluster of samples of uneven number."""
    task, (labels, scores) = Classification(classes), uneven(classes)
    metric, draw = get_metric(name, task), np.random.default_rng(1)
    of = (
        np.arange(160)
        if clusters is None
        else draw.permutation(np.append(np.arange(clusters), draw.integers(0, clusters, 130)))
    )
    count = of.max() + 1
    without = np.array([ORACLES[name](labels[of != n], scores[of != n]) for n in range(count)])
    expected = (count - 1) * (without.mean() - without)
    found = metric.influence(statistics_of(metric, task, scores, labels), None if clusters is None else of)
    assert found.shape == (count,)
    assert found.mean() == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(found, expected)[0, 1] > 0.99
    assert found.std() == pytest.approx(expected.std(), rel=0.1)


@pytest.mark.parametrize("name", ["balanced-accuracy", "macro-f1", "auroc", "log-loss", "kappa"])
def test_the_standard_error_is_that_of_new_samples(name: str) -> None:
    task = Classification(3)
    metric = get_metric(name, task)
    draws = [measured(metric, task, *uneven(3, 600, seed)[::-1]) for seed in range(100)]
    error = np.mean([one.influence.std() / np.sqrt(600) for one in draws])
    assert error == pytest.approx(np.std([one.value for one in draws]), rel=0.25)


def test_a_class_without_samples_is_left_out_of_means() -> None:
    labels, scores = uneven(3)
    kept = labels != 2
    labels, scores = labels[kept], scores[kept]
    scores[:20] = [0.0, 0.1, 0.9]
    decided = scores.argmax(1)
    expected = {
        "balanced-accuracy": np.mean([(decided[labels == c] == c).mean() for c in (0, 1)]),
        "macro-f1": f1_score(labels, decided, average="macro", labels=[0, 1]),
        "auroc": np.mean([roc_auc_score(labels == c, scores[:, c]) for c in (0, 1)]),
    }
    for name, value in expected.items():
        metric = get_metric(name, Classification(3))
        statistics = statistics_of(metric, Classification(3), scores, labels)
        assert metric.of(statistics) == pytest.approx(value)
        assert np.isfinite(metric.influence(statistics)).all()


def test_what_is_not_defined_is_nan() -> None:
    task, labels = Classification(2), np.zeros(5, np.int64)
    scores = np.tile(np.float32([0.9, 0.1]), (5, 1))
    for name in ("auroc", "kappa"):
        metric = get_metric(name, task)
        assert np.isnan(metric.of(statistics_of(metric, task, scores, labels)))
    for name in ORACLES:
        metric = get_metric(name, task)
        assert np.isnan(metric.of(statistics_of(metric, task, scores[:0], labels[:0]))), name


def test_a_single_sample_cannot_make_the_loss_infinite() -> None:
    metric = get_metric("log-loss", Classification(2))
    assert metric.of(metric.statistics(np.float32([[1, 0]]), np.array([1]))) == pytest.approx(
        -np.log(np.finfo(np.float32).eps)
    )


def test_the_score_of_a_loss_is_negated_and_a_loss_twice_as_large_keeps_a_half() -> None:
    loss, accuracy = (get_metric(name, Classification(2)) for name in ("log-loss", "accuracy"))
    statistics = loss.statistics(np.float32([[0.5, 0.5]]), np.array([1]))
    assert score(loss, statistics) == pytest.approx(-np.log(2))
    assert fraction_kept(loss, -0.8, -0.4) == pytest.approx(0.5)
    assert fraction_kept(TokenLogLikelihood(), -0.8, -0.4) == pytest.approx(0.5)
    assert fraction_kept(accuracy, 0.4, 0.8) == pytest.approx(0.5)
    assert fraction_kept(accuracy, 0.4, 0.0) > 1, "no division by zero"


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"{tmp_path.name}.py"  # a module is imported once per process
    file.write_text(
        "import numpy as np\n"
        "def brier(labels, probabilities):\n"
        "    return ((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(1).mean()\n"
        "brier.larger_is_better = False\n"
        "brier.unit = 'per sample'\n"
        "def top_half(labels, probabilities):\n"
        "    return (probabilities.argmax(1) == labels).mean()\n"
        "def broken(labels, probabilities):\n"
        "    return labels.nothing\n"
        "def empty(labels, probabilities):\n"
        "    return float('nan')\n"
        "def quitting(labels, probabilities):\n"
        "    raise SystemExit\n"
        "def wordy(labels, probabilities):\n"
        "    return 'very good'\n"
        "def huge(labels, probabilities):\n"
        "    return -1e300\n"
        "def rare_recall(labels, probabilities):\n"
        "    return (probabilities.argmax(1) == 2)[labels == 2].mean()\n"
    )
    return file


def test_a_users_function_is_a_metric(own_module: Path) -> None:
    task, (labels, scores) = Classification(3), uneven(3, 1000)
    brier = get_metric(f"{own_module.stem}:brier", task)
    check_metric(f"{own_module.stem}:brier", task, {"test": labels})
    assert metric_record(brier).model_dump() == {"name": "brier", "unit": "per sample", "larger_is_better": False}
    each = ((scores - np.eye(3)[labels]) ** 2).sum(1)
    statistics = statistics_of(brier, task, scores, labels)
    assert brier.of(statistics) == pytest.approx(each.mean())
    influence = brier.influence(statistics)
    assert influence.mean() == pytest.approx(0, abs=1e-9)
    assert influence.shape == (1000,)
    assert influence.std() / np.sqrt(1000) == pytest.approx(each.std() / np.sqrt(1000), rel=0.15)
    assert brier.influence(statistics, np.arange(1000) // 2).shape == (500,), "more groups of samples than are left out"
    groups = np.arange(1000) % 30
    expected = 30 * np.array([(each - each.mean())[groups == g].sum() for g in range(30)]) / 1000
    np.testing.assert_allclose(brier.influence(statistics, groups), expected, atol=0.02)
    assert metric_record(get_metric(f"{own_module.stem}:top_half", task)).name == "top half"


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("broken", "broken failed on 12 samples: AttributeError: 'numpy.ndarray' object has no attribute 'nothing'"),
        ("quitting", "quitting failed on 12 samples: SystemExit"),
        ("wordy", "wordy failed on 12 samples: ValueError: could not convert string to float: 'very good'"),
        ("empty", "empty is nan for made-up predictions, no finite number: the test split has 3 of 3 classes"),
        ("huge", r"huge is -1e\+300, too large; return a number within ±1e\+100"),
        ("missing", "has no function 'missing'"),
    ],
)
def test_a_function_that_is_no_metric_is_refused_in_one_line(function: str, words: str, own_module: Path) -> None:
    task = Classification(3)
    with pytest.raises(OptionError, match=words):
        check_metric(f"{own_module.stem}:{function}", task, {"test": np.arange(9) % 3})


@pytest.mark.filterwarnings("ignore:.*empty slice:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_a_function_that_cannot_do_without_a_class_has_no_interval(own_module: Path) -> None:
    """Its interval was not a number, and so was the difference of two policies, which was called "worse"."""
    name, task = f"{own_module.stem}:rare_recall", Classification(3)
    one, two = np.array([0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    for groups, words in (({}, "class 2 of the test split is a single one"), ({"test": one}, "in a single group")):
        with pytest.raises(OptionError, match=words):
            check_metric(name, task, {"test": one}, groups)
    check_metric(name, task, {"test": two}, {"test": np.arange(6)})
    metric, scores = get_metric(name, task), np.eye(3)[one]
    with pytest.raises(OptionError, match="is no finite number without some of the 5 samples"):
        metric.influence(statistics_of(metric, task, scores, one))


def test_a_metric_that_the_task_lacks_is_refused() -> None:
    with pytest.raises(
        OptionError, match="--metric 'balanced' does not exist for classification; did you mean 'balanced-accuracy'"
    ):
        get_metric("balanced", Classification(2))
    with pytest.raises(OptionError, match=r"'map' is for multi-label, and this is classification \(there are accuracy"):
        get_metric("map", Classification(2))  # not "did you mean kappa"


def test_a_metric_of_many_classes_has_small_statistics() -> None:
    """Two numbers per sample, however many classes there are; with two classes one probability is enough."""
    labels, scores = uneven(5)
    shapes = {
        name: get_metric(name, Classification(5)).statistics(scores.argmax(1), labels).shape[1]
        for name in ("macro-f1", "kappa")
    }
    assert shapes == {"macro-f1": 2, "kappa": 2}
    metric: Metric = AUROC()
    assert metric.statistics(scores[:, :2], labels).shape[1] == 2


def test_a_metric_that_a_split_cannot_have_is_refused() -> None:
    with pytest.raises(OptionError, match=r"--metric auroc is nan .* the test split has 1 of 3 classes"):
        check_metric("auroc", Classification(3), {"validation": np.arange(3), "test": np.full(5, 2)})
    check_metric("auroc", Classification(3), {"validation": np.arange(3), "test": np.arange(2)})
