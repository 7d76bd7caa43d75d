"""The engine's schedule: group the operators that samples drew into groups that run together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from autoaug.modalities.base import Fusion


class OperatorRows(NamedTuple):
    """An operator, and the indices of the samples that drew it."""

    operator: int
    samples: np.ndarray


class Group(NamedTuple):
    """Samples that the fusion of one kind processes together. If the fusion joins or carries, they may have drawn
    different operators.
    """

    kind: str
    drawn: list[OperatorRows]


class Step(NamedTuple):
    """A step of the plan: groups whose maps the samples only carry along, then groups that change their samples.
    `resting` are the samples in none of the latter.
    """

    carried: list[Group]
    groups: list[Group]
    resting: np.ndarray

    def drawn(self) -> list[OperatorRows]:
        """Every operator that was drawn in this step."""
        return [drawn for group in (*self.carried, *self.groups) for drawn in group.drawn]


def make_schedule(choice: np.ndarray, kinds: Mapping[int, str], fusions: Mapping[str, Fusion]) -> list[Step]:
    """Make the steps for ``choice [S, n]``, where -1 is no operator; ``kinds[i]`` is the kind of operator i. Maps are
    carried to the last operator of a run with the same carrier. Runs that end at the same step form one group, and so
    do the operators of a joined kind in a step.
    """
    lasts = _last_of_runs(choice, kinds, fusions)
    kinds = _applying(kinds, fusions)
    return [_make_step(*rows, kinds, fusions) for rows in zip(choice, lasts, strict=True)]


def separate_schedule(choice: np.ndarray, kinds: Mapping[int, str]) -> list[Step]:
    """Make the steps in which each operator runs for itself."""
    steps = []
    for chosen in choice:
        drawn = [OperatorRows(int(i), np.flatnonzero(chosen == i)) for i in np.unique(chosen) if i >= 0]
        groups = [Group(kinds[rows.operator], [rows]) for rows in drawn]
        steps.append(Step([], groups, np.flatnonzero(chosen < 0)))
    return steps


def _applying(kinds: Mapping[int, str], fusions: Mapping[str, Fusion]) -> dict[int, str]:
    """For each operator, the kind that applies its maps; for carried maps, the last used kind of the carrier."""
    used = [kind for kind in fusions if kind in kinds.values() and fusions[kind].role == "carried"]
    last = {fusions[kind].carrier: kind for kind in used}
    return {index: last[fusions[kind].carrier] if kind in used else kind for index, kind in kinds.items()}


def _make_step(chosen: np.ndarray, ended: np.ndarray, kinds: Mapping[int, str], fusions: Mapping[str, Fusion]) -> Step:
    carried: dict[str, list[OperatorRows]] = {}
    groups: list[Group] = []
    shared: dict[str, list[OperatorRows]] = {kind: [] for kind in fusions}  # joined kinds, carried ones that end
    order = np.argsort(chosen, kind="stable")
    bounds = np.searchsorted(chosen[order], np.arange(chosen.max(initial=-1) + 2))
    resting = [order[: bounds[0]]]
    for index in range(len(bounds) - 1):
        rows = order[bounds[index] : bounds[index + 1]]
        if not len(rows):
            continue
        kind = kinds[index]
        role = fusions[kind].role
        if role in ("alone", "closing"):
            groups.append(Group(kind, [OperatorRows(index, rows)]))
            continue
        if role == "carried":
            last = ended[rows]
            going_on, rows = rows[~last], rows[last]
            if len(going_on):
                carried.setdefault(kind, []).append(OperatorRows(index, going_on))
                resting.append(going_on)
        if len(rows):
            shared[kind].append(OperatorRows(index, rows))
    groups += [Group(kind, drawn) for kind, drawn in shared.items() if drawn]
    return Step([Group(*of_kind) for of_kind in carried.items()], groups, np.concatenate(resting))


def _last_of_runs(choice: np.ndarray, kinds: Mapping[int, str], fusions: Mapping[str, Fusion]) -> np.ndarray:
    """Whether, ``[S, n]``, a carried operator is the last of its run: the next operator has another carrier or none, or
    there is no next one. A closing operator takes the carried maps into its own.
    """
    carriers = ["", *dict.fromkeys(fusion.carrier for fusion in fusions.values() if fusion.carrier)]
    carrier = np.zeros(max(kinds, default=-1) + 2, int)  # the last entry stands for -1
    carrier[list(kinds)] = [carriers.index(fusions[kind].carrier) for kind in kinds.values()]
    carried = np.zeros(len(carrier), bool)
    carried[list(kinds)] = [fusions[kind].role == "carried" for kind in kinds.values()]
    last = np.zeros(choice.shape, bool)
    following = np.zeros(choice.shape[1], int)
    for step in reversed(range(len(choice))):
        own = carrier[choice[step]]
        last[step] = carried[choice[step]] & (own != following)
        following = np.where(choice[step] >= 0, own, following)
    return last
