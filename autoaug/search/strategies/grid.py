"""The RandAugment grid (Cubuk et al., 2020): the number of layers n times one strength m for all operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from optuna.samplers import RandomSampler

from autoaug.errors import SpaceError
from autoaug.search.sampling import sample_shaped, usual_shape
from autoaug.search.space import SearchSpace
from autoaug.search.strategies.base import Draw, History, SearchContext, Step, Stop, Strategy, next_baseline

_STRENGTHS = 5


class Grid(Strategy):
    """Every n of the space with five strengths, in random order; ends when all have been tried."""

    name = "grid"
    summary = "the RandAugment grid of n layers at strength m; to follow the protocol of the paper"

    def check(self, space: SearchSpace) -> None:
        if not space.layers[1]:
            raise SpaceError(f"strategy 'grid' needs layers, but space {space.name!r} has none; use tpe or random")

    def next(self, history: History, context: SearchContext) -> Step | None:
        if baseline := next_baseline(history, context):
            return baseline
        points = list(grid(context.space))
        tried = sum(record.is_drawn for record in history.trials)
        order = np.random.default_rng(context.seed).permutation(len(points))
        if tried >= len(points):
            return Stop(f"all {len(points)} points of the grid were tried", exhausted=True)
        return Draw(lambda seed: RandomSampler(seed=seed), draw=sample_shaped, fixed=points[order[tried]])


def grid(space: SearchSpace) -> Iterator[dict[str, Any]]:
    """The points of the grid, as values for `sample_shaped`; the grid leaves all else as in `usual_shape`."""
    usual = usual_shape(space)
    for layers in range(max(1, space.layers[0]), space.layers[1] + 1):
        for strength in np.linspace(*space.strength, _STRENGTHS):
            yield {**usual, "layers": layers, "strength": float(strength), "probability": space.probability[1]}
