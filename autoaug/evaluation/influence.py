"""What each test sample adds to a score, for any metric. The luck of the test samples is estimated from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoaug.training.metrics import Metric

#: The step of the differences, as a fraction of the standard error of a sum over samples: so small that the metric is
#: linear over it.
_STEP = 1e-3


def influence(metric: Metric, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
    """What each cluster of samples adds to the score, times the number of clusters. The mean is 0, and the standard
    deviation divided by the square root of that number is the standard error of the score (the infinitesimal jackknife;
    Jaeckel, 1972).

    The score is a function of sums over the samples, so it is linearized at these sums, by central differences.

    Args:
        metric: the metric. Its score is negated if smaller values are better.
        statistics: the statistics of the samples, ``[n, k]``.
        clusters: the index ``[n]`` of each sample's cluster, from 0; None if each sample is a cluster of its own.

    Returns:
        ``[clusters]``.
    """
    if clusters is not None:
        sums = np.zeros((int(clusters.max()) + 1, statistics.shape[1]))
        np.add.at(sums, clusters, statistics)
        statistics = sums
    count, total = len(statistics), statistics.sum(0, dtype=np.float64)
    steps = _STEP * np.sqrt(((statistics - total / count) ** 2).sum(0))
    gradient = np.zeros(len(total))
    for place, step in enumerate(steps.tolist()):
        if step > 0:  # a statistic that is the same for all samples has no influence
            move = np.zeros(len(total))
            move[place] = step
            gradient[place] = (metric.value(total + move) - metric.value(total - move)) / (2 * step)
    added = count * (statistics @ gradient)
    centered: np.ndarray = added - added.mean()
    return centered if metric.larger_is_better else -centered


def influences(metric: Metric, trainings: Sequence[np.ndarray], clusters: np.ndarray | None = None) -> np.ndarray:
    """The `influence` for each training with ``statistics [n, k]``, as ``[trainings, clusters]``."""
    return np.stack([influence(metric, statistics, clusters) for statistics in trainings])
