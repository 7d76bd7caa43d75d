"""The metrics of each task, by the names that users give."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np

from autoaug.data.labels import TEXTS, kind_of
from autoaug.errors import OptionError, UnknownName
from autoaug.training.metrics.base import Metric, statistics_of
from autoaug.training.metrics.counts import Accuracy, BalancedAccuracy, Kappa, MacroF1
from autoaug.training.metrics.labels import MacroLabelF1, MeanAveragePrecision, MicroF1
from autoaug.training.metrics.numbers import Determination, MeanAbsoluteError, RootMeanSquaredError
from autoaug.training.metrics.own import OwnMetric
from autoaug.training.metrics.probabilities import AUROC, LogLoss
from autoaug.training.metrics.texts import CharacterErrorRate, TokenLogLikelihood, WordErrorRate
from autoaug.training.metrics.translations import Bleu, ChrF, check_installed
from autoaug.training.tasks import Regression, Task
from autoaug.training.transcription import Transcription
from autoaug.training.translation import Translation, made_up
from autoaug.utils.own_code import names_function

#: The number of samples of each class that are made up to try a metric.
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
    },
    "multi-label": {"map": MeanAveragePrecision(), "macro-f1": MacroLabelF1(), "micro-f1": MicroF1()},
    "regression": {"rmse": RootMeanSquaredError(), "mae": MeanAbsoluteError(), "r2": Determination()},
    "transcription": {
        "wer": WordErrorRate(),
        "cer": CharacterErrorRate(),
        "log-likelihood": TokenLogLikelihood(unit="nats per character"),
    },
    "translation": {"chrf": ChrF(), "bleu": Bleu(), "log-likelihood": TokenLogLikelihood()},
}


def metrics_of(task: Task) -> Mapping[str, Metric]:
    """The metrics of a task by name, the default first."""
    known = _METRICS[task.name]
    return {**known, "r2": Determination(task.means)} if isinstance(task, Regression) else known


def trial_metric(metric: Metric, task: Task) -> Metric:
    """What trials are scored by in a run with that metric: the same, or for texts, how likely a model finds the true
    ones. On part of the data often hardly a word is right, whatever the policy, and translations take long to write.
    """
    return metrics_of(task).get("log-likelihood", metric)


def check_metric_name(name: str) -> None:
    """Raise `UnknownName` if no task has such a metric, and it does not name a user's function."""
    known = dict.fromkeys(known for metrics in _METRICS.values() for known in metrics)
    if not names_function(name) and name not in known:
        raise UnknownName("metric", name, [*known, "MODULE:FUNCTION"])


def get_metric(name: str, task: Task) -> Metric:
    """The metric with that name, or the user's function ``module:function``. Raises `OptionError` if the task has no
    such metric.
    """
    if names_function(name):
        if isinstance(task, Transcription | Translation):
            raise OptionError(f"--metric {name}: texts are measured by {', '.join(metrics_of(task))}; leave it out")
        return OwnMetric(name, task.outputs if not task.classes else 1, bool(task.classes))
    known = metrics_of(task)
    if name in known:
        return known[name]
    others = [other for other, metrics in _METRICS.items() if name in metrics]
    near = [] if others else difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    why = f" is for {others[0]}, and this is {task.name}" if others else f" does not exist for {task.name}"
    hint = f"; did you mean {near[0]!r}?" if near else ""
    own = "" if isinstance(task, Transcription | Translation) else ", or your own module:function"
    raise OptionError(f"--metric {name!r}{why}{hint} (there are {', '.join(known)}{own})")


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
    if isinstance(task, Translation):
        check_installed()
    for split, all_labels in labels.items():
        has = _has(task, all_labels, split)
        _check_finite(name, metric, task, all_labels, has)
        own = (groups or {}).get(split)
        if not task.classes or not names_function(name):
            continue
        units = np.arange(len(all_labels)) if own is None else own
        for lone in [label for label in np.unique(all_labels) if len(np.unique(units[all_labels == label])) == 1]:
            has = f"its interval is found without some of the samples, and class {lone} of the {split} split is "
            has += "a single one" if own is None else "in a single group"
            _check_finite(name, metric, task, all_labels[all_labels != lone], has)


def _has(task: Task, labels: np.ndarray, split: str) -> str:
    """How many classes or different labels a split has, as text."""
    count = len(np.unique(labels, axis=0))
    return f"the {split} split has {count} {f'of {task.outputs} classes' if task.classes else 'different labels'}"


def _check_finite(name: str, metric: Metric, task: Task, labels: np.ndarray, why: str) -> None:
    """Raise `OptionError`, with the reason, if the metric is no finite number for samples with labels like these."""
    draw = np.random.default_rng(0)
    if task.classes:
        labels = np.repeat(np.unique(labels), _OF_EACH)
        scores = draw.dirichlet(np.ones(task.outputs), len(labels)).astype(np.float32)
    elif kind_of(labels) in TEXTS:
        scores = made_up(labels)
    else:
        scores = draw.random(labels.shape, np.float32)
    value = metric.of(statistics_of(metric, task, scores, labels))
    if not np.isfinite(value):
        raise OptionError(f"--metric {name} is {value} for made-up predictions, no finite number: {why}")
