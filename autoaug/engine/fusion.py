"""What the engine does in which order: from the operators that samples drew to groups that run as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from autoaug.modalities.operators import FusionKind

WARPS: frozenset[FusionKind] = frozenset({"warp", "projection"})
FIELDS: frozenset[FusionKind] = frozenset({"field"})


class OperatorRows(NamedTuple):
    """Samples (their indices) that drew the same operator."""

    operator: int
    samples: np.ndarray


class Group(NamedTuple):
    """Samples that are worked on as one: of "warp" and "colors" they may have drawn several operators."""

    kind: FusionKind
    drawn: list[OperatorRows]


class Step(NamedTuple):
    """A step of the plan: warps that only add to their samples' maps, then the groups; `resting` are in no group."""

    carried: list[OperatorRows]
    groups: list[Group]
    resting: np.ndarray

    def drawn(self) -> list[OperatorRows]:
        """Every operator that was drawn in this step."""
        return [*self.carried, *(d for group in self.groups for d in group.drawn)]


def make_schedule(choice: np.ndarray, kinds: Mapping[int, FusionKind]) -> list[Step]:
    """The steps for ``choice [S, n]``, -1 for no operator: the maps of consecutive warps are carried until the last of
    them; those that end at a step are one group, and so are its linear color operators.
    """
    return [_make_step(*rows, kinds) for rows in zip(choice, _last_of_warps(choice, kinds), strict=True)]


def _make_step(chosen: np.ndarray, ended: np.ndarray, kinds: Mapping[int, FusionKind]) -> Step:
    carried, groups, warps, colors = [], [], [], []
    order = np.argsort(chosen, kind="stable")
    bounds = np.searchsorted(chosen[order], np.arange(chosen.max(initial=-1) + 2))
    resting = [order[: bounds[0]]]
    for index in range(len(bounds) - 1):
        rows = order[bounds[index] : bounds[index + 1]]
        if not len(rows):
            continue
        if kinds[index] in WARPS:
            last = ended[rows]
            if last.all():
                warps.append(OperatorRows(index, rows))
                continue
            carried.append(OperatorRows(index, rows[~last]))
            resting.append(rows[~last])
            if last.any():
                warps.append(OperatorRows(index, rows[last]))
        elif kinds[index] == "colors":
            colors.append(OperatorRows(index, rows))
        else:
            groups.append(Group(kinds[index], [OperatorRows(index, rows)]))
    groups += [Group("colors", colors)] if colors else []
    groups += [Group("warp", warps)] if warps else []
    return Step(carried, groups, np.concatenate(resting))


def _last_of_warps(choice: np.ndarray, kinds: Mapping[int, FusionKind]) -> np.ndarray:
    """Where ``[S, n]`` a warp is the last before another kind of operator, or the end. A field takes the maps before
    it into its own sampling.
    """
    is_warp = _drew(choice, kinds, WARPS)
    goes_on = is_warp | _drew(choice, kinds, FIELDS)
    last = np.zeros(choice.shape, bool)
    following = np.zeros(choice.shape[1], bool)
    for step in reversed(range(len(choice))):
        last[step] = is_warp[step] & ~following
        following = np.where(choice[step] >= 0, goes_on[step], following)
    return last


def _drew(choice: np.ndarray, kinds: Mapping[int, FusionKind], wanted: frozenset[FusionKind]) -> np.ndarray:
    """Where an operator of the wanted kinds was drawn."""
    table = np.zeros(max(kinds, default=-1) + 2, bool)  # the last entry stands for -1
    table[[index for index, kind in kinds.items() if kind in wanted]] = True
    found: np.ndarray = table[choice]
    return found
