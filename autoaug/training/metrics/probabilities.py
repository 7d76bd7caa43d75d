"""Metrics of the probabilities of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoaug.training.metrics.base import AT_LEAST_0, FRACTION, SumMetric, by_cluster

#: Probabilities are at least this, as in scikit-learn: a single sample cannot make the loss infinite.
_LEAST = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class LogLoss(SumMetric):
    """The mean negative logarithm of the probability of the true class, in nats."""

    name: str = "log-loss"
    unit: str = ""
    larger_is_better: bool = False
    takes_scores: bool = True
    bounds: tuple[float, float] = AT_LEAST_0

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        own = np.take_along_axis(predictions, targets[:, None].astype(np.int64), 1)[:, 0]
        return np.stack([-np.log(np.clip(own.astype(np.float64), _LEAST, 1)), np.ones(len(own))], 1)

    def value(self, total: np.ndarray) -> float:
        return float(total[0] / total[1]) if total[1] else float("nan")


@dataclass(frozen=True)
class AUROC:
    """The area under the receiver operating characteristic: the chance that a sample of a class has a higher
    probability of it than one of another class; with more than two classes its mean over those that have samples and
    others (one-vs-rest). The statistics of a sample are its class and its probabilities (of two classes,
    that of the second).

    Its influence is the sample's placement among those on the other side (DeLong et al., 1988).
    """

    name: str = "AUROC"
    unit: str = "%"
    larger_is_better: bool = True
    takes_scores: bool = True
    class_effect: float = 2.0
    bounds: tuple[float, float] = FRACTION

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        needed = predictions[:, 1:] if predictions.shape[1] == 2 else predictions
        return np.concatenate([targets[:, None].astype(needed.dtype), needed], 1)

    def of(self, statistics: np.ndarray) -> float:
        areas = [_placements(scores, positive)[0] for scores, positive in _one_against_rest(statistics)]
        return float(np.mean(areas)) if areas else float("nan")

    def influence(self, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        added, sides = np.zeros(len(statistics)), _one_against_rest(statistics)
        for scores, positive in sides:
            area, placement = _placements(scores, positive)
            count = np.where(positive, positive.sum(), (~positive).sum())
            added += len(statistics) / count * (placement - area) / len(sides)
        return by_cluster(added - added.mean(), clusters)


def _one_against_rest(statistics: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each class with samples and others: the probabilities ``[n]``, and which samples are of the class."""
    target, scores = statistics[:, 0], statistics[:, 1:]
    classes = [1] if scores.shape[1] == 1 else range(scores.shape[1])
    sides = [(column, target == number) for number, column in zip(classes, scores.T, strict=True)]
    return [(column, positive) for column, positive in sides if 0 < positive.sum() < len(target)]


def _placements(scores: np.ndarray, positive: np.ndarray) -> tuple[float, np.ndarray]:
    """The area, and for each sample the fraction ``[n]`` of those on the other side that are in the right order with
    it; ties count half.
    """
    placement = np.empty(len(scores))
    placement[positive] = _fraction_below(scores[positive], scores[~positive])
    placement[~positive] = 1 - _fraction_below(scores[~positive], scores[positive])
    return float(placement[positive].mean()), placement


def _fraction_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each value the fraction of the others that are smaller, where equal ones count half."""
    others = np.sort(others)
    smaller, no_larger = (np.searchsorted(others, values, side) for side in ("left", "right"))
    fraction: np.ndarray = (smaller + no_larger) / (2 * len(others))
    return fraction
