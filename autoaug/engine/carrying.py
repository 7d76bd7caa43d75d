"""The maps of carried operators, composed along the steps of each sample, on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.batches import per_sample
from autoaug.engine.plan import Plan
from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.operators import Operator


def numbers_at(plan: Plan, calls: Sequence[tuple[Operator, np.ndarray]], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The values ``[m]``, as `dtype`, and the uniforms ``[m, UNIFORMS]`` of operators at their places in the flattened
    plan, one operator after another.
    """
    rows = torch.from_numpy(np.concatenate([np.empty(0, np.int64), *(places for _, places in calls)]))
    limits = np.repeat([operator.limit for operator, _ in calls], [len(places) for _, places in calls])
    value = plan.magnitude.flatten().index_select(0, rows) * torch.from_numpy(limits).to(plan.magnitude.dtype)
    return value.to(dtype), plan.uniforms.flatten(0, 1).index_select(0, rows)


class _Carried(NamedTuple):
    """The maps of one carrier, ``[n, ...]``, which samples have one, and the fusion of the last."""

    fusion: Fusion
    maps: Tensor
    has: np.ndarray


class CarriedMaps:
    """What the samples of a plan carry, while one goes through its steps.

    The maps of each operator are made once for all samples and steps: they do not depend on values.

    Args:
        plan: of n samples.
        operators: those that the plan chooses, by their index.
        fusions: of the modality.
        like: on the host, any values of the shape and dtype of the samples, and their lengths.
    """

    def __init__(
        self, plan: Plan, operators: Mapping[int, Operator], fusions: Mapping[str, Fusion], like: Batch
    ) -> None:
        self._like, self._carried = like, dict[str, _Carried]()
        choice, n = plan.choice.numpy(), len(plan)
        drawn = [
            (operator, np.flatnonzero(choice.ravel() == index))
            for index, operator in operators.items()
            if fusions[operator.kind].role == "carried"
        ]
        value, uniforms = numbers_at(plan, drawn, like.values.dtype)
        maps, start = dict[str, list[Tensor]](), 0
        self._rows = np.zeros(choice.shape, np.int64)  # of the map of each step and sample among those of its carrier
        for operator, places in drawn:
            fusion, end = fusions[operator.kind], start + len(places)
            batch = self._batch(places % max(n, 1))
            known = maps.setdefault(fusion.carrier, [])
            self._rows.reshape(-1)[places] = np.arange(len(places)) + sum(map(len, known))
            known.append(fusion.maps(operator.function, batch, value[start:end], uniforms[start:end]))
            start = end
        self._maps = {carrier: torch.cat(parts) for carrier, parts in maps.items()}

    def carry(self, step: int, fusion: Fusion, samples: np.ndarray) -> None:
        """Let `samples` carry their maps of the step on, composed with those that they carry."""
        maps, rows = self._composed(step, fusion, samples), torch.from_numpy(samples)
        before = self._carried.get(fusion.carrier)
        if before is None:
            n = len(self._like.values)
            before = _Carried(fusion, maps.new_zeros(n, *maps.shape[1:]), np.zeros(n, bool))
        before.has[samples] = True
        self._carried[fusion.carrier] = _Carried(fusion, before.maps.index_copy(0, rows, maps), before.has)

    def ended(self, step: int, fusion: Fusion, samples: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """The maps of the step composed with those that the samples carry, and the way of each; see `Fusion.ways`."""
        maps = self._composed(step, fusion, samples)
        self._drop(fusion, samples)
        return maps, fusion.ways(self._batch(samples), maps.detach()).numpy()

    def closed(self, fusion: Fusion, samples: np.ndarray) -> Tensor | None:
        """The maps that are carried to a closing kind, identities included; None if none are."""
        before = self._before(fusion, samples)
        self._drop(fusion, samples)
        return before

    def _composed(self, step: int, fusion: Fusion, samples: np.ndarray) -> Tensor:
        rows = torch.from_numpy(self._rows[step, samples])
        maps, before = self._maps[fusion.carrier].index_select(0, rows), self._before(fusion, samples)
        return maps if before is None else fusion.compose(before, maps)

    def _before(self, fusion: Fusion, samples: np.ndarray) -> Tensor | None:
        """What the samples carry, with identities for those that carry none; None if none carries."""
        carried = self._carried.get(fusion.carrier)
        if carried is None or not carried.has[samples].any():
            return None
        maps, has = carried.maps.index_select(0, torch.from_numpy(samples)), torch.from_numpy(carried.has[samples])
        return torch.where(per_sample(has, maps), maps, carried.fusion.identity(self._batch(samples)))

    def _drop(self, fusion: Fusion, samples: np.ndarray) -> None:
        if fusion.carrier in self._carried:
            self._carried[fusion.carrier].has[samples] = False

    def _batch(self, samples: np.ndarray) -> Batch:
        """A batch of the shape and lengths of the samples."""
        values, lengths = self._like
        own = None if lengths is None else lengths.index_select(0, torch.from_numpy(samples))
        return Batch(values[:1].expand(len(samples), *values.shape[1:]), own)
