"""Metrics that count classes alike, where a class has few samples or few groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoaug.evaluation.scoring import ConfirmedTraining, Scoring
from autoaug.training.metrics import BalancedAccuracy
from autoaug.training.tasks import Classification

#: The seeds of a single analysis.
_SEEDS = 5
#: How often a training is right where its policy is wrong, or the other way round.
_SLIP = 0.01
#: The recall of each class with one policy and another, whose balanced accuracies are equal.
_TRADES = {"2 points": ((0.88, 0.9), (0.9, 0.88)), "10 points": ((0.8, 0.85), (0.9, 0.75))}
#: The mean recall of each class, and the standard deviation of a policy's recall between groups.
_MEAN, _LUCK, _OF_A_GROUP = 0.75, 0.15, 20
_SAMPLES = 500

#: The test samples of the rare one of two classes and what policies trade, or the groups of each class.
CLASSES: dict[str, tuple[int, str] | tuple[int, ...]] = {
    **{f"{rare} of 500 samples, {trade}": (rare, trade) for trade in _TRADES for rare in (5, 10, 20, 50, 250)},
    **{
        f"groups per class {counts}": counts
        for counts in ((10, 10, 10), (10, 10, 3), (10, 10, 2), (10, 10, 1), (20, 2))
    },
}


def called(name: str, count: int) -> dict[str, float]:
    """How often two policies with the same true balanced accuracy are called different, and half the interval."""
    what, draw = CLASSES[name], np.random.default_rng(list(name.encode()))
    if isinstance(what[1], str):
        labels, groups = np.repeat([0, 1], [_SAMPLES - int(what[0]), int(what[0])]), None
    else:
        per_class = [int(number) for number in what]
        labels = np.repeat(np.repeat(np.arange(len(per_class)), per_class), _OF_A_GROUP)
        groups = np.repeat(np.arange(sum(per_class)), _OF_A_GROUP)
    scoring = Scoring(Classification(int(labels.max()) + 1), BalancedAccuracy(), labels, labels, groups)
    wrong, widths = 0, []
    for _ in range(count):
        luck = draw.random(len(labels))  # the same for both policies, so that one is right where the worse one is
        if groups is None:
            lasting = [luck < np.array(recall)[labels] for recall in _TRADES[str(what[1])]]
        else:
            lasting = [draw.random(len(labels)) < _likely(groups, draw) for _ in range(2)]
        difference, reach = _compared(scoring, lasting, draw)
        widths.append(reach)
        wrong += abs(difference) > reach
    return {"wrong": wrong / count, "median half width": float(np.median(widths))}


def _likely(groups: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """How likely a policy is right on each sample ``[n]``: the same within a group."""
    likely: np.ndarray = np.clip(_MEAN + draw.normal(0, _LUCK, groups.max() + 1), 0, 1)[groups]
    return likely


def _compared(scoring: Scoring, lasting: Sequence[np.ndarray], draw: np.random.Generator) -> tuple[float, float]:
    """The difference of two policies, and half the width of its interval."""
    labels, classes = scoring.test_labels, scoring.task.classes
    sides = []
    for own in lasting:
        right = own ^ (draw.random((_SEEDS, len(labels))) < _SLIP)
        answers = np.where(right, labels, (labels + 1) % classes)
        sides.append([_training(scoring, one) for one in answers])
    ours, theirs = (np.mean([scoring.metric.of(one.test_statistics) for one in side]) for side in sides)
    return float(ours - theirs), scoring.errors(*sides).reach().total


def _training(scoring: Scoring, answers: np.ndarray) -> ConfirmedTraining:
    """A training that recognizes all samples in validation, and in the test gives these `answers`."""
    labels = scoring.test_labels
    right, tested = (scoring.metric.statistics(predictions, labels) for predictions in (labels, answers))
    return ConfirmedTraining(labels, answers, 1.0, right, tested, np.arange(len(labels)))
