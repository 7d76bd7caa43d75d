"""What the luck of new samples comes in: groups, and classes that count alike however few samples they have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from autoaug.evaluation.statistics import THREE
from autoaug.training.metrics import Metric, by_cluster


def score_influence(metric: Metric, statistics: np.ndarray, clusters: np.ndarray | None = None) -> np.ndarray:
    """What each cluster of samples adds to the score, ``[clusters]``: that of `Metric.influence`, negated if smaller
    values of the metric are better.
    """
    added = metric.influence(statistics, clusters)
    return added if metric.larger_is_better else -added


@dataclass(frozen=True, eq=False)
class Clusters:
    """The clusters of the samples that a metric is taken of.

    Attributes:
        metric: the metric.
        labels: the class of each sample, ``[n]``; or labels of another form, for metrics without classes.
        index: the cluster of each sample ``[n]``, from 0; None if each sample is its own.
    """

    metric: Metric
    labels: np.ndarray
    index: np.ndarray | None = None

    @classmethod
    def of(cls, metric: Metric, labels: np.ndarray, groups: np.ndarray | None) -> Clusters:
        """The clusters of samples in these ``groups [n]``, None without groups."""
        return cls(metric, labels, None if groups is None else np.unique(groups, return_inverse=True)[1])

    @cached_property
    def leverage(self) -> np.ndarray:
        """The factor ``[n]`` on what each sample adds that makes up for its cluster's pull on the mean that it is
        compared with: 1 / (1 - the cluster's share of the samples), as if it were left out of that mean (the jackknife,
        or CR3, of MacKinnon and White, 1985), relative to equal shares. A cluster that has most samples would otherwise
        seem to add nothing. If classes count alike, each has a mean of its own, and the share is that of the class.
        """
        by_class = self.metric.class_effect > 0
        means = np.unique(self.labels, return_inverse=True)[1] if by_class else np.zeros(len(self.labels), np.int64)
        both = np.stack([means, self._index], 1)
        cells, cell, sizes = np.unique(both, axis=0, return_inverse=True, return_counts=True)
        of_mean = cells[:, 0]
        shares, clusters = sizes / np.bincount(means)[of_mean], np.bincount(of_mean)[of_mean]
        equal = np.sqrt((1 - 1 / (self._index.max() + 1)) * (1 - 1 / clusters))
        # A class in one cluster tells nothing of others; `least_reach` allows for that.
        factor = np.where(clusters > 1, equal / np.maximum(1 - shares, 1e-9), 1.0)
        leverage: np.ndarray = factor[cell]
        return leverage

    @cached_property
    def least_reach(self) -> float:
        """Half of the interval of a metric that counts classes alike is at least this. Where a class has few samples,
        often none of them differs between two policies, or all alike. Then `THREE` of as many new samples still may,
        and one of as many new clusters may be altogether different.

        The first rule is for right and wrong. Probabilities differ in all samples, so that their luck is seen.
        """
        if not self.metric.class_effect:
            return 0.0
        classes, counts = np.unique(self.labels, return_counts=True)
        clusters = np.array([len(np.unique(self._index[self.labels == label])) for label in classes])
        samples = 0.0 if self.metric.takes_scores else np.minimum(1, THREE / counts)
        return float(self.metric.class_effect / len(classes) * np.maximum(samples, 1 / clusters).max())

    @property
    def _index(self) -> np.ndarray:
        """The cluster of each sample, ``[n]``."""
        return np.arange(len(self.labels)) if self.index is None else self.index

    def added(self, statistics: np.ndarray) -> np.ndarray:
        """What each cluster adds to the metric of samples with these statistics, ``[clusters]``."""
        if self.metric.class_effect:
            return self.sums(score_influence(self.metric, statistics))
        first = slice(None) if self.index is None else np.unique(self.index, return_index=True)[1]
        added: np.ndarray = score_influence(self.metric, statistics, self.index) * self.leverage[first]
        return added

    def sums(self, influence: np.ndarray) -> np.ndarray:
        """The same from what each sample adds, ``[n]``."""
        return by_cluster(influence * self.leverage, self.index)
