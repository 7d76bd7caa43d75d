"""Folds: for small data, each seed of a confirmation is trained and tested on different samples.

The search does not see the test split, which is then half of the samples. It is divided into folds. Each seed is tested
on one fold, and trained on the others and the training split. So no policy is judged by samples that it was chosen on.
The same holds for the finalist, which is chosen on the validation split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from autoaug.data.labels import members
from autoaug.errors import OptionError


@dataclass(frozen=True, eq=False)
class Folds:
    """The folds of a test split.

    Attributes:
        count: the number of folds.
        strata: the stratum of each sample of the test split, ``[n]``.
        units: the unit of each sample ``[n]``; samples of one unit stay in one fold.
    """

    count: int
    strata: np.ndarray
    units: np.ndarray

    def of(self, seeds: Sequence[int]) -> dict[int, np.ndarray]:
        """The rows of the test split that each of the `seeds` is tested on: the folds in turn. After all folds were
        used, the split is divided again in another way. The folds depend only on the data.
        """
        turns = [cut(self.strata, self.units, self.count, turn) for turn in range(-(-len(seeds) // self.count))]
        return dict(zip(seeds, (rows for folds in turns for rows in folds), strict=False))


def cut(strata: np.ndarray, units: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """The rows of each of `count` folds, ascending: stratified by the strata ``[n]``, each unit in one fold."""
    is_single = len(np.unique(units)) == len(units)
    folds = (StratifiedKFold if is_single else StratifiedGroupKFold)(count, shuffle=True, random_state=seed)
    return [rows for _, rows in folds.split(strata, strata, None if is_single else units)]


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
