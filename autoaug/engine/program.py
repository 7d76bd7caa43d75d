"""Work out ahead what a plan does to some samples: their order, the numbers of the operators, and the carried maps.

All of it is known before a sample is touched. So it goes to the samples' device at once, and the host decides all that
it has to decide without waiting for the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.carrying import CarriedMaps, numbers_at
from autoaug.engine.plan import Plan
from autoaug.engine.schedule import Group, Step, make_schedule, separate_schedule
from autoaug.modalities.base import Batch, Fusion
from autoaug.modalities.operators import Operator, get_operator
from autoaug.modalities.registry import get_modality


class OperatorCall(NamedTuple):
    """An operator, and how many samples drew it, which have the next rows of the program's numbers."""

    operator: Operator
    size: int


class StagePart(NamedTuple):
    """Consecutive samples of a stage, which a fusion changes together.

    Attributes:
        size: the number of samples.
        calls: the operators that they drew, in the order of the samples; none if `maps` has them all.
        maps: of a carried kind, the composed maps; of a closing kind, the maps that are carried to it, if any are.
        way: of a carried kind, how it applies the maps; see `Fusion.ways`.
    """

    fusion: Fusion
    size: int
    calls: list[OperatorCall]
    maps: Tensor | None
    way: int


class Program(NamedTuple):
    """What a plan without chains does to n samples, in T stages. In each, they are put in the order of its parts, with
    those that rest at the end.

    Attributes:
        stages: the parts of each stage.
        orders: for each stage, the row of each sample before it, and in the end, its row after the last one; int64
            ``[T + 1, n]``.
        moves: for each of these orders, whether it moves any sample.
        value: of all calls in order, ``[m]``, in the unit of the operator.
        uniforms: of all calls in order, ``[m, UNIFORMS]``.
        differences: whether the gradient in the magnitude of operators that jump is a difference.
    """

    stages: list[list[StagePart]]
    orders: Tensor
    moves: list[bool]
    value: Tensor
    uniforms: Tensor
    differences: bool


class _Draft(NamedTuple):
    """A part whose operators have, instead of numbers, the places of their samples in the flattened plan."""

    fusion: Fusion
    samples: np.ndarray
    calls: list[tuple[int, np.ndarray]]
    maps: Tensor | None = None
    way: int = 0


def make_program(plan: Plan, like: Batch, fuse: bool) -> Program:
    """The program of a plan without chains.

    Args:
        plan: of n samples.
        like: on the host, any values of the shape ``[n, ...]`` and the dtype of the samples, and their lengths.
        fuse: whether operators run together; otherwise, they run one after another.
    """
    choice = plan.choice.numpy()
    operators = {int(i): _with_learned(plan.operators[i], plan) for i in np.unique(choice) if i >= 0}
    fusions, kinds = get_modality(plan.modality).fusions, {i: operator.kind for i, operator in operators.items()}
    differences = plan.magnitude.requires_grad and any(operator.jumps for operator in operators.values())
    carried = None
    if fuse and not differences:
        schedule = make_schedule(choice, kinds, fusions)
        carried = CarriedMaps(plan, operators, fusions, like)
    else:
        schedule = separate_schedule(choice, kinds)
    stages = []
    for number, step in enumerate(schedule):
        drafts = _drafts(step, number, fusions, carried, choice.shape[1])
        if drafts:
            stages.append((drafts, step.resting))
    return _finished(stages, plan, operators, like.values.dtype, differences)


def _with_learned(name: str, plan: Plan) -> Operator:
    """The operator with that name, whose function knows what it has learned."""
    operator, learned = get_operator(name), plan.learned.get(name)
    return replace(operator, function=partial(operator.function, learned=learned)) if learned else operator


def _drafts(
    step: Step, number: int, fusions: Mapping[str, Fusion], carried: CarriedMaps | None, n: int
) -> list[_Draft]:
    """The parts of a step; what its samples carry is up to date after that."""
    drafts = []
    if carried:
        for group in step.carried:
            carried.carry(number, fusions[group.kind], _samples(group))
    for group in step.groups:
        fusion, samples = fusions[group.kind], _samples(group)
        if carried and fusion.role == "carried":
            maps, ways = carried.ended(number, fusion, samples)
            for way in sorted(set(ways.tolist())):
                own = np.flatnonzero(ways == way)
                part = maps if len(own) == len(ways) else maps.index_select(0, torch.from_numpy(own))
                drafts.append(_Draft(fusion, samples[own], [], part, way))
            continue
        before = carried.closed(fusion, samples) if carried and fusion.role == "closing" else None
        calls = [(drawn.operator, number * n + drawn.samples) for drawn in group.drawn]
        drafts.append(_Draft(fusion, samples, calls, before))
    return drafts


def _samples(group: Group) -> np.ndarray:
    return np.concatenate([drawn.samples for drawn in group.drawn])


def _finished(
    stages: list[tuple[list[_Draft], np.ndarray]],
    plan: Plan,
    operators: Mapping[int, Operator],
    dtype: torch.dtype,
    differences: bool,
) -> Program:
    """The program with the numbers of all calls, which are gathered at once."""
    calls = [call for drafts, _ in stages for draft in drafts for call in draft.calls]
    value, uniforms = numbers_at(plan, [(operators[index], places) for index, places in calls], dtype)
    parts = [
        [
            StagePart(
                d.fusion,
                len(d.samples),
                [OperatorCall(operators[i], len(places)) for i, places in d.calls],
                d.maps,
                d.way,
            )
            for d in drafts
        ]
        for drafts, _ in stages
    ]
    orders = _orders([np.concatenate([*(d.samples for d in drafts), resting]) for drafts, resting in stages], len(plan))
    moves = (orders != np.arange(len(plan))).any(1).tolist()
    return Program(parts, torch.from_numpy(orders), moves, value, uniforms, differences)


def _orders(sorted_samples: list[np.ndarray], n: int) -> np.ndarray:
    """For each stage, whose samples are in that order, their rows before it, and in the end those of 0 to n - 1."""
    own = np.arange(n)
    orders, row = [], own  # the row of each sample
    for samples in [*sorted_samples, own]:
        orders.append(row[samples])
        row = np.empty(n, np.int64)
        row[samples] = own
    return np.stack(orders)
