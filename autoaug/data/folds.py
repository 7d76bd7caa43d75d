"""Folds: of few samples, every seed of a confirmation is trained and tested on others, in turn.

What the search sees and what is tested stay apart. The test split, which is then half of the samples, is cut into
folds; each seed is tested on one of them and trained on all others together with the training split. So no policy is
judged by samples that it was chosen on, nor is the finalist, which is chosen by the validation split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from autoaug.errors import OptionError


@dataclass(frozen=True, eq=False)
class Folds:
    """The folds of a test split.

    Attributes:
        count: how many there are.
        labels: of the samples of the split, ``[n]``.
        units: of each sample ``[n]``, which others it must not be parted from.
    """

    count: int
    labels: np.ndarray
    units: np.ndarray

    def of(self, seeds: Sequence[int]) -> dict[int, np.ndarray]:
        """The rows of the test split that each of the `seeds` is tested on: a fold, in turn. When all folds had their
        turn, the split is cut anew; how it is cut follows from the data alone.
        """
        turns = [cut(self.labels, self.units, self.count, turn) for turn in range(-(-len(seeds) // self.count))]
        return dict(zip(seeds, (rows for folds in turns for rows in folds), strict=False))


def cut(labels: np.ndarray, units: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """The rows of `count` folds, ascending: stratified by the labels ``[n]``, with each unit in one fold."""
    is_single = len(np.unique(units)) == len(units)
    folds = (StratifiedKFold if is_single else StratifiedGroupKFold)(count, shuffle=True, random_state=seed)
    return [rows for _, rows in folds.split(labels, labels, None if is_single else units)]


def check_count(count: int, labels: np.ndarray, units: np.ndarray, classes: Sequence[str]) -> None:
    """Raise `OptionError` where the test split with these labels ``[n]`` and units has not so many folds in it."""
    most = [len(np.unique(units[labels == label])) for label in range(len(classes))]
    rarest = int(np.argmin(most))
    if count > most[rarest]:
        cure = f"pass --folds {most[rarest]} or less, or" if most[rarest] > 1 else "leave --folds out, or"
        raise OptionError(
            f"--folds {count}: class {classes[rarest]!r} has {most[rarest]} samples, or groups of them, in the half of "
            f"the data that is tested, and each fold needs one; {cure} add samples"
        )
