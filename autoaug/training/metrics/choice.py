"""The metrics of each task, by the names that users give."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np

from autoaug.errors import OptionError
from autoaug.training.metrics.base import Metric, statistics_of
from autoaug.training.metrics.counts import Accuracy, BalancedAccuracy, Kappa, MacroF1
from autoaug.training.metrics.own import OwnMetric
from autoaug.training.metrics.probabilities import AUROC, LogLoss
from autoaug.training.tasks import Task

#: So many samples of each class are made up to try a metric.
_OF_EACH = 4
#: By the name of the task; the first metric of a task is its default.
_METRICS: Mapping[str, Mapping[str, Metric]] = {
    "classification": {
        "accuracy": Accuracy(),
        "balanced-accuracy": BalancedAccuracy(),
        "macro-f1": MacroF1(),
        "auroc": AUROC(),
        "log-loss": LogLoss(),
        "kappa": Kappa(),
    }
}


def metrics_of(task: Task) -> Mapping[str, Metric]:
    """The metrics of a task by name, the default first."""
    return _METRICS[task.name]


def is_own(name: str) -> bool:
    """Whether that is the name of a user's function."""
    return ":" in name


def get_metric(name: str, task: Task) -> Metric:
    """The metric with that name, or the user's function ``module:function``. Raises `OptionError` if the task has no
    such metric.
    """
    if is_own(name):
        return OwnMetric(name)
    known = metrics_of(task)
    if name in known:
        return known[name]
    others = [other for other, metrics in _METRICS.items() if name in metrics]
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    why = f" is for {others[0]}, and this is {task.name}" if others else f" does not exist for {task.name}"
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise OptionError(f"--metric {name!r}{why}{hint} (there are {', '.join(known)}, or your own module:function)")


def check_metric(
    name: str,
    task: Task,
    labels: Mapping[str, np.ndarray],
    groups: Mapping[str, np.ndarray | None] | None = None,
) -> None:
    """Raise `OptionError` if the task has no such metric, or if it is not a finite number for made-up predictions of
    samples like those of a split. For its interval, a user's function must also be one without any group of samples, so
    it is tried without each class that is in one group, or has one sample.

    Args:
        name: the name of the metric.
        task: the task.
        labels: the labels of each split that is scored, by its name.
        groups: the groups of their samples; those that have none may be missing.
    """
    metric = get_metric(name, task)
    for split, all_labels in labels.items():
        classes = np.unique(all_labels)
        has = f"the {split} split has {len(classes)} of {task.outputs} classes"
        _check_finite(name, metric, task, classes, has)
        own = (groups or {}).get(split)
        units = np.arange(len(all_labels)) if own is None else own
        for lone in [label for label in classes if len(np.unique(units[all_labels == label])) == 1] * is_own(name):
            has = f"its interval is found without some of the samples, and class {lone} of the {split} split is "
            has += "a single one" if own is None else "in a single group"
            _check_finite(name, metric, task, classes[classes != lone], has)


def _check_finite(name: str, metric: Metric, task: Task, classes: np.ndarray, why: str) -> None:
    """Raise `OptionError`, with the reason, if the metric is no finite number for samples of these classes."""
    labels = np.repeat(classes, _OF_EACH)
    scores = np.random.default_rng(0).dirichlet(np.ones(task.outputs), len(labels)).astype(np.float32)
    value = metric.of(statistics_of(metric, task, scores, labels))
    if not np.isfinite(value):
        raise OptionError(f"--metric {name} is {value} for made-up predictions, no finite number: {why}")
