"""Groups as people have them: a few, with and without folds, and one that has most samples."""

from __future__ import annotations

import numpy as np

from autoaug.data.folds import Folds
from autoaug.evaluation.scoring import ConfirmedTraining, Scoring, scores
from autoaug.training.metrics import Accuracy
from autoaug.training.tasks import Classification

#: The sizes of the groups of test samples, the number of folds or None, and the number of seeds.
GROUPS: dict[str, tuple[list[int], int | None, int]] = {
    "2 groups of 400, 2 folds": ([400] * 2, 2, 16),
    "3 groups of 400, 3 folds": ([400] * 3, 3, 15),
    "4 groups of 400, 2 folds": ([400] * 4, 2, 16),
    "5 groups of 400, 5 folds": ([400] * 5, 5, 15),
    "10 groups of 200, 5 folds": ([200] * 10, 5, 15),
    "2 groups of 400": ([400] * 2, None, 16),
    "10 groups of 50": ([50] * 10, None, 5),
    "one group of 500, 20 of 10": ([500] + [10] * 20, None, 5),
    "one group of 250, 30 of 10": ([250] + [10] * 30, None, 5),
    "one group of 200, 3 of 20": ([200] + [20] * 3, None, 5),
}
#: A policy's mean accuracy, the standard deviation of its accuracy between groups, and how often a training draws anew
#: whether it is right on a sample.
_MEAN, _LUCK, _ANEW = 0.8, 0.05, 0.1


def called(name: str, count: int) -> dict[str, float]:
    """How often two policies that are equal on average over groups are called different, and half the interval."""
    sizes, folds, seeds = GROUPS[name]
    groups, draw = np.repeat(np.arange(len(sizes)), sizes), np.random.default_rng([seeds, *name.encode()])
    labels = np.arange(len(groups)) % 2
    of_seed = Folds(folds, labels, groups).of(range(seeds)) if folds else {}
    names = groups.astype(str)
    scoring = Scoring(Classification(2), Accuracy(), labels, labels, names, None, of_seed)
    wrong, widths = 0, []
    for _ in range(count):
        sides = [_trainings(groups, scoring, seeds, draw) for _ in range(2)]
        ours, theirs = (scores(scoring.metric, [one.test_statistics for one in side]) for side in sides)
        widths.append(scoring.errors(*sides).reach().total)
        wrong += abs(float((ours - theirs).mean())) > widths[-1]
    return {"wrong": wrong / count, "median half width": float(np.median(widths))}


def _trainings(groups: np.ndarray, scoring: Scoring, seeds: int, draw: np.random.Generator) -> list[ConfirmedTraining]:
    """The trainings of one policy."""
    likely = np.clip(_MEAN + draw.normal(0, _LUCK, groups.max() + 1), 0, 1)[groups]
    lasting = draw.random(len(groups)) < likely
    trainings = []
    for seed in range(seeds):
        right = np.where(draw.random(len(groups)) < _ANEW, draw.random(len(groups)) < likely, lasting)
        rows = scoring.rows(seed)
        answers = np.where(right, scoring.test_labels, 1 - scoring.test_labels)[rows]
        statistics = scoring.metric.statistics(answers, scoring.test_labels[rows])
        trainings.append(ConfirmedTraining(answers, answers, 1.0, statistics, statistics, rows))
    return trainings
