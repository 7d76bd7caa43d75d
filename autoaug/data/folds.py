"""Folds: for small data, each seed of a confirmation is trained and scored on different samples.

Tests: the search does not see the test split, which is then half of the samples. It is divided into folds. Each seed is
tested on one fold, and trained on the others and the training split. So no policy is judged by samples that it was
chosen on. The same holds for the finalist, which is chosen by validation.

Validation: the samples that the search sees are divided into folds, each as large as the validation split. Each seed is
validated on one fold and trained on the others. A choice by the mean over the seeds then depends on the luck of all
these samples, and not on that of the few in one split (cross-validation; Stone, 1974).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoaug.data.labels import absent, counts_of, members
from autoaug.errors import OptionError

#: The largest fold of `are_even` folds, in fold sizes.
_LARGEST = 1.5
#: The most divisions into folds that are tried for one with samples of all classes on both sides.
_CUTS = 5


@dataclass(frozen=True, eq=False)
class Folds:
    """The folds of some samples.

    Attributes:
        count: the number of folds.
        strata: the stratum of each sample, ``[n]``.
        units: the unit of each sample ``[n]``; samples of one unit stay in one fold.
        turns: the number of different divisions into folds; after that, they repeat. None for no limit.
    """

    count: int
    strata: np.ndarray
    units: np.ndarray
    turns: int | None = None

    def of(self, seeds: Sequence[int]) -> dict[int, np.ndarray]:
        """The rows that each of the `seeds` is scored on: the folds in turn. After all folds were used, the samples are
        divided again in another way. The folds depend only on the data.
        """
        needed = -(-len(seeds) // self.count)
        different = needed if self.turns is None else min(needed, self.turns)
        turns = [make_folds(self.strata, self.units, self.count, turn) for turn in range(different)]
        return dict(zip(seeds, itertools.cycle(rows for folds in turns for rows in folds), strict=False))


def are_even(folds: Folds, labels: np.ndarray, classes: Sequence[str]) -> bool:
    """Whether the folds of all turns can be cut, are about equally large, and have samples of all `classes`, as have
    the rest of each.
    """
    assert folds.turns is not None
    if len(np.unique(folds.units)) < folds.count or min(counts_of(labels, classes)) < folds.count:
        return False
    largest = _LARGEST * len(labels) / folds.count
    return not any(
        len(rows) > largest or len(absent(labels[rows], classes)) or len(absent(np.delete(labels, rows, 0), classes))
        for turn in range(folds.turns)
        for rows in make_folds(folds.strata, folds.units, folds.count, turn)
    )


def make_folds(strata: np.ndarray, units: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """The rows of each of `count` folds, ascending: stratified by the strata ``[n]``, if one of these has a sample for
    each fold, and each unit in one fold.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold  # as in `autoaug.data.splits`

    if np.bincount(strata).max() < count:
        strata = np.zeros_like(strata)
    is_single = len(np.unique(units)) == len(units)
    folds = (StratifiedKFold if is_single else StratifiedGroupKFold)(count, shuffle=True, random_state=seed)
    return [rows for _, rows in folds.split(strata, strata, None if is_single else units)]


def complete_fold(folds: Folds, seed: int, labels: np.ndarray, classes: Sequence[str], staying: int) -> np.ndarray:
    """The rows of a fold that has samples of all `classes`, and leaves `staying` units of each to the rest: the first
    such fold of the division by the `seed`, or of the next ones. If there is none, the fold that comes nearest.
    """
    nearest, fewest = np.zeros(0, np.int64), (math.inf, math.inf)
    for turn in range(_CUTS):
        for rows in make_folds(folds.strata, folds.units, folds.count, (seed + turn) % 2**32):
            rest, units = np.delete(labels, rows, 0), np.delete(folds.units, rows)
            left = [len(np.unique(units[members(rest, label)])) for label in range(len(classes))]
            lacking = sum(count < staying for count in left), len(absent(labels[rows], classes))
            if lacking < fewest:
                nearest, fewest = rows, lacking
            if not any(fewest):
                return nearest
    return nearest


def check_count(count: int, labels: np.ndarray, units: np.ndarray, classes: Sequence[str]) -> None:
    """Raise `OptionError` if the test split with these labels and units is too small for `count` folds."""
    most = [len(np.unique(units[members(labels, label)])) for label in range(len(classes))]
    rarest = int(np.argmin(most))
    if count > most[rarest]:
        cure = f"pass --folds {most[rarest]} or less, or" if most[rarest] > 1 else "leave --folds out, or"
        raise OptionError(
            f"--folds {count}: class {classes[rarest]!r} has {most[rarest]} samples or groups in the half of the data "
            f"that is tested, and each fold needs one; {cure} add samples"
        )
