"""What each test sample adds to a score, for any metric. The luck of the test samples is estimated from it."""

from __future__ import annotations

import numpy as np

from autoaug.training.metrics import Metric


def influence(metric: Metric, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
    """What each cluster of samples adds to the score, ``[clusters]``: that of `Metric.influence`, negated if smaller
    values of the metric are better.
    """
    added = metric.influence(statistics, clusters)
    return added if metric.larger_is_better else -added
