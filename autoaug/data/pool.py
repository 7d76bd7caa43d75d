"""Generated samples that passed the sample filter, with the confidence of its classifier."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoaug.data.inputs import pick
from autoaug.data.splits import Samples


@dataclass(frozen=True, eq=False)
class Pool:
    """Samples, and the probability ``[n]`` that the filter's classifier gives the class of each."""

    samples: Samples
    confidence: np.ndarray

    def reaches(self, least: float) -> bool:
        """Whether any sample has a confidence of at least `least`."""
        return bool((self.confidence >= least).any())

    def above(self, least: float) -> Samples:
        """The samples with a confidence of at least `least`."""
        rows = np.flatnonzero(self.confidence >= least)
        return Samples(pick(self.samples.inputs, rows), self.samples.labels[rows])
