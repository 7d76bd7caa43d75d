"""The metrics of each task, by the names that users give."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np

from autoaug.errors import OptionError
from autoaug.training.metrics.base import Metric
from autoaug.training.metrics.counts import Accuracy, BalancedAccuracy, Kappa, MacroF1
from autoaug.training.metrics.own import OwnMetric
from autoaug.training.metrics.probabilities import AUROC, LogLoss
from autoaug.training.tasks import Task

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


def check_metric(metric: Metric, task: Task) -> None:
    """Raise `OptionError` if a user's function does not return a finite number for made-up predictions."""
    if not isinstance(metric, OwnMetric):
        return
    labels = np.arange(4 * task.outputs) % task.outputs
    scores = np.random.default_rng(0).dirichlet(np.ones(task.outputs), len(labels)).astype(np.float32)
    value = metric.of(metric.statistics(scores, labels))
    if not np.isfinite(value):
        raise OptionError(
            f"--metric {metric.function} returned {value} for made-up labels [{len(labels)}] and probabilities "
            f"[{len(labels)}, {task.outputs}]; it must return a finite number"
        )
