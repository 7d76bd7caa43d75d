"""What the trainings of a run begin from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Start:
    """What the trainings of a run begin from, instead of random weights.

    Attributes:
        weights: the path of a file, or ``pretrained`` for the published weights of the network; empty once these are no
            longer needed, because other weights will be loaded.
        digest: of the weights; see `autoaug.utils.weights.weights_digest`.
        takes: how the network takes its samples, as plain JSON values that only the modality reads.
    """

    weights: str
    digest: str
    takes: Mapping[str, Any] = field(default_factory=dict)

    def without_weights(self) -> Start:
        """The same form of the network, with random weights."""
        return replace(self, weights="")
