"""What the engine does in which order: from the operators that samples drew to groups that run as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from autoaug.operators import Kind

WARPS: frozenset[Kind] = frozenset({"warp", "projection"})
FIELDS: frozenset[Kind] = frozenset({"field"})


class Drawn(NamedTuple):
    """Samples (their indices) that drew the same operator."""

    operator: int
    samples: np.ndarray


class Group(NamedTuple):
    """Samples that are worked on as one; for "colours" they may have drawn several operators.

    `kind` is an operator's kind; "warp" samples the images by the maps that they have gathered.
    """

    kind: Kind
    drawn: list[Drawn]


class Step(NamedTuple):
    """A step of the plan: which maps are gathered first, then the groups; samples in no group rest."""

    warps: list[Drawn]
    groups: list[Group]
    resting: np.ndarray

    def drawn(self) -> list[Drawn]:
        """Every operator that was drawn in this step."""
        return [*self.warps, *(d for group in self.groups if group.kind != "warp" for d in group.drawn)]


def make_schedule(choice: np.ndarray, kinds: Mapping[int, Kind]) -> list[Step]:
    """The steps for ``choice [S, n]``, -1 for no operator: consecutive warps of a sample are gathered until its next
    operator is none, and sampled at the last; linear colour operators of a step are one group.
    """
    ends = _last_of_warps(choice, kinds)
    steps = []
    for chosen, ended in zip(choice, ends, strict=True):
        drawn = [Drawn(index, rows) for index in kinds if len(rows := np.flatnonzero(chosen == index))]
        colours = [d for d in drawn if kinds[d.operator] == "colours"]
        groups = [Group(kinds[d.operator], [d]) for d in drawn if kinds[d.operator] in {"samples", "field"}]
        groups += [Group("colours", colours)] if colours else []
        groups += [Group("warp", [Drawn(-1, np.flatnonzero(ended))])] if ended.any() else []
        busy = np.zeros(choice.shape[1], bool)
        for group in groups:
            for d in group.drawn:
                busy[d.samples] = True
        steps.append(Step([d for d in drawn if kinds[d.operator] in WARPS], groups, np.flatnonzero(~busy)))
    return steps


def _last_of_warps(choice: np.ndarray, kinds: Mapping[int, Kind]) -> np.ndarray:
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


def _drew(choice: np.ndarray, kinds: Mapping[int, Kind], wanted: frozenset[Kind]) -> np.ndarray:
    """Where an operator of the wanted kinds was drawn."""
    table = np.zeros(max(kinds, default=-1) + 2, bool)  # the last entry stands for -1
    table[[index for index, kind in kinds.items() if kind in wanted]] = True
    found: np.ndarray = table[choice]
    return found
