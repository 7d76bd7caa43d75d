"""What a strategy is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optuna.samplers import BaseSampler


@dataclass(frozen=True)
class Strategy:
    """How policies are drawn.

    Attributes:
        name: what users call it.
        summary: one line on what it is and when to use it.
        sampler: makes the Optuna sampler for one question from a seed; everything else it knows is in the study, so
            that a resumed search asks what an uninterrupted one would have asked.
    """

    name: str
    summary: str
    sampler: Callable[[int], BaseSampler]
