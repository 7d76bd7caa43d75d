"""Metrics of several labels per sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoaug.training.metrics.base import FRACTION, SumMetric, by_cluster


@dataclass(frozen=True)
class MicroF1(SumMetric):
    """The F1 of all decisions about labels together: the harmonic mean of precision and recall. The statistics of a
    sample are how many labels it has and was given, how many it was given, and how many it has.
    """

    name: str = "micro F1"
    unit: str = "%"
    larger_is_better: bool = True
    bounds: tuple[float, float] = FRACTION

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        given = predictions.astype(bool)
        return np.stack([(given & targets).sum(1), given.sum(1), targets.sum(1)], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        both, given, there = total
        return float(2 * both / (given + there)) if given + there else float("nan")


@dataclass(frozen=True)
class MacroLabelF1(SumMetric):
    """The mean F1 of the labels that any sample has. The statistics of a sample are, for each label, whether it has it
    and was given it, whether it was given it, and whether it has it.
    """

    name: str = "macro F1"
    unit: str = "%"
    larger_is_better: bool = True
    bounds: tuple[float, float] = FRACTION

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        given = predictions.astype(bool)
        return np.concatenate([given & targets, given, targets], 1).astype(np.float64)

    def value(self, total: np.ndarray) -> float:
        both, given, there = total.reshape(3, -1)
        known = there > 0.5  # a derivative is taken at sums a little off
        return float((2 * both[known] / (given + there)[known]).mean()) if known.any() else float("nan")


@dataclass(frozen=True)
class MeanAveragePrecision:
    """The mean average precision of the labels that any sample has. It is the mean, over the samples that have a label,
    of the fraction that have it among those that seem at least as likely to: the area under the curve of precision and
    recall, not interpolated, as in scikit-learn. The statistics of a sample are its labels and their probabilities.
    """

    name: str = "mAP"
    unit: str = "%"
    larger_is_better: bool = True
    takes_scores: bool = True
    class_effect: float = 0.0
    bounds: tuple[float, float] = FRACTION

    def statistics(self, predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return np.concatenate([targets, predictions], 1).astype(np.float64)

    def of(self, statistics: np.ndarray) -> float:
        values = [_precision(has, scores)[0] for has, scores in _labels(statistics)]
        return float(np.mean(values)) if values else float("nan")

    def influence(self, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
        """See `Metric`: the derivative by the weight of each sample, in closed form."""
        added = np.zeros(len(statistics))
        labels = _labels(statistics)
        for has, scores in labels:
            added += len(statistics) * _precision(has, scores)[1] / len(labels)
        return by_cluster(added - added.mean(), clusters)


def _labels(statistics: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each label that any sample has: which samples ``[n]`` have it, and its probabilities ``[n]``."""
    targets, scores = np.split(statistics.T, 2)
    return [(has > 0, own) for has, own in zip(targets, scores, strict=True) if has.any()]


def _precision(has: np.ndarray, scores: np.ndarray) -> tuple[float, np.ndarray]:
    """The average precision of a label, and its derivative ``[n]`` by the weight of each sample."""
    order = np.argsort(-scores, kind="stable")
    ranked, own = -scores[order], has[order].astype(np.float64)
    last = np.searchsorted(ranked, ranked, "right")  # samples that seem as likely count for one another
    first = np.searchsorted(ranked, ranked, "left")
    right, seen = np.cumsum(own)[last - 1], last.astype(np.float64)
    count = own.sum()
    value = float((own * right / seen).sum() / count)
    # A sample is among those that seem at least as likely for all that come with it or after it.
    after_one = _from(own / seen, first)
    after_two = _from(own * right / seen**2, first)
    derivative = np.empty(len(scores))
    derivative[order] = (own * (right / seen - value) + own * after_one - after_two) / count
    return value, derivative


def _from(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The sum of `values` from each place of `first` to the end."""
    sums: np.ndarray = np.cumsum(values[::-1])[::-1][first]
    return sums
