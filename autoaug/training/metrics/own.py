"""A metric that is a user's function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autoaug.errors import OptionError, typed_line
from autoaug.training.metrics.base import FRACTION, LARGEST, UNBOUNDED
from autoaug.utils.own_code import load_function

#: Samples are left out in at most this many groups: the function runs once for each.
_GROUPS = 200


@dataclass(frozen=True)
class OwnMetric:
    """The user's function ``module:function``. It is called with the labels ``[n]``, or ``[n, columns]`` if these are
    not classes, and the task's scores, such as probabilities ``[n, classes]``, and returns a number. Attributes of the
    function tell more, each with a default: ``larger_is_better`` (True), ``unit`` (empty), and ``name``.

    Nothing is known about the function, so that its influence is found by leaving samples out, in groups drawn at
    random (the delete-a-group jackknife; Kott, 2001). All samples of a group get the same influence, so large that the
    standard error is that of the jackknife.
    """

    function: str
    columns: int = 1
    are_classes: bool = True
    takes_scores: bool = True
    class_effect: float = 0.0

    @property
    def name(self) -> str:
        usual = self.function.partition(":")[2].replace("_", " ")
        return str(getattr(_loaded(self.function), "name", usual))

    @property
    def unit(self) -> str:
        return str(getattr(_loaded(self.function), "unit", ""))

    @property
    def larger_is_better(self) -> bool:
        return bool(getattr(_loaded(self.function), "larger_is_better", True))

    @property
    def bounds(self) -> tuple[float, float]:
        return FRACTION if self.unit == "%" and self.larger_is_better else UNBOUNDED

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        rows = len(targets)
        return np.concatenate([targets.reshape(rows, -1), predictions.reshape(rows, -1)], 1).astype(np.float64)

    def of(self, statistics: np.ndarray) -> float:
        labels, scores = np.split(statistics, [self.columns], axis=1)
        labels = labels[:, 0].astype(np.int64) if self.are_classes else labels
        function = _loaded(self.function)
        try:
            value = float(function(labels, scores))
        except (Exception, SystemExit) as fault:  # a user's function may raise anything, or call sys.exit
            raise OptionError(
                f"--metric {self.function} failed on {len(labels)} samples: {typed_line(fault)}"
            ) from None
        if LARGEST < abs(value) < math.inf:
            raise OptionError(f"--metric {self.function} is {value:g}, too large; return a number within ±{LARGEST:g}")
        return value

    def influence(self, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        clusters = np.arange(len(statistics)) if clusters is None else clusters
        total = int(clusters.max()) + 1
        count = min(total, _GROUPS)
        group = np.arange(total) if total == count else np.random.default_rng(0).permutation(np.arange(total) % count)
        of_sample = group[clusters]
        without = np.array([self.of(statistics[of_sample != number]) for number in range(count)])
        if not np.isfinite(without).all():
            raise OptionError(
                f"--metric {self.function} is no finite number without some of the {len(statistics)} samples, so that "
                "it has no interval; let it return a number for any of them"
            )
        # Without a group, the metric moves by 1 / (1 - its share of the samples) times what the group adds.
        shares = np.bincount(of_sample, minlength=count) / len(statistics)
        added = count * ((self.of(statistics) - without) * (1 - shares))[group] * math.sqrt(total / count)
        centered: np.ndarray = added - added.mean()
        return centered


@lru_cache
def _loaded(function: str) -> Callable[..., Any]:
    return load_function(function, "--metric")
