"""Generated samples that passed the gate, with how sure its classifier was of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoaug.data.inputs import pick
from autoaug.data.splits import Samples


@dataclass(frozen=True, eq=False)
class Pool:
    """Samples, and the probability ``[n]`` that the gate's classifier gives the class of each."""

    samples: Samples
    confidence: np.ndarray

    def above(self, least: float) -> Samples:
        """The samples of which the classifier is at least so sure."""
        rows = np.flatnonzero(self.confidence >= least)
        return Samples(pick(self.samples.inputs, rows), self.samples.labels[rows])
