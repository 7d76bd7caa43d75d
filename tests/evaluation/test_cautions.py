"""What is said of a result beside its score."""

from __future__ import annotations

import pytest

from autoaug.evaluation.cautions import cautions
from autoaug.policy.models import Policy
from autoaug.results import Candidate, DataSummary, MetricRecord, MetricValues, Returned, SearchResult
from tests.report.records import result


def found(
    counts: tuple[int, ...],
    confusion: tuple[tuple[int, ...], ...],
    accuracy: tuple[float, float],
    metric: MetricRecord | None = None,
    seeds: int = 5,
) -> SearchResult:
    """A result whose returned candidate has that confusion matrix, and that interval of its accuracy."""
    recall = tuple(row[i] / sum(row) if sum(row) else None for i, row in enumerate(confusion))
    measured = MetricValues(metric=MetricRecord(), values=(sum(accuracy) / 2,), mean=sum(accuracy) / 2, ci95=accuracy)
    own = Candidate.model_construct(
        name="flips",
        policy=Policy(name="flips"),
        trial=None,
        seeds=tuple(range(seeds)),
        class_scores=recall,
        confusion=confusion,
        metrics={"accuracy": measured},
        ci95=(0.0, 0.0),
    )
    names = tuple("abcdefghijklmnop"[: len(counts)])
    return result(
        candidates=(own,),
        returned=Returned.model_construct(name="flips"),
        data=DataSummary.model_construct(classes=names, class_counts=counts),
        metric=metric or MetricRecord(),
    )


def test_a_sound_result_needs_no_caution() -> None:
    assert cautions(found((30, 10), ((30, 2), (1, 9)), (0.85, 0.97))) == []


def test_recall_per_class_stands_where_classes_are_uneven() -> None:
    given = found((310, 100), ((30, 0), (7, 3)), (0.78, 0.87))
    assert cautions(given) == [
        "Classes are uneven: 100 training samples of 'b', 310 of 'a'. Recall per class with flips: 'b' 30.0 %, "
        "'a' 100.0 %; --metric balanced-accuracy counts all classes alike."
    ]
    for name in ("balanced accuracy", "macro F1"):
        alike = found((310, 100), ((30, 0), (7, 3)), (0.78, 0.87), MetricRecord(name=name))
        assert cautions(alike)[0].endswith("'a' 100.0 %.")


def test_of_many_classes_the_worst_and_the_best_are_listed() -> None:
    size = 16
    rows = tuple(
        tuple(90 + i if i == j else 10 - i if j == (i + 1) % size and i < 10 else 0 for j in range(size))
        for i in range(size)
    )
    (words,) = cautions(found((40, *[10] * (size - 1)), rows, (0.9, 0.99)))
    assert "'a' 90.0 %, 'b' 91.0 %" in words
    assert "'i' 98.0 %, 6 more, 'p' 100.0 %" in words


@pytest.mark.parametrize(("interval", "warned"), [((0.70, 0.80), True), ((0.7501, 0.80), False)])
def test_the_share_of_the_largest_class_is_no_achievement(interval: tuple[float, float], warned: bool) -> None:
    words = cautions(found((10, 10), ((30, 0), (10, 0)), interval))
    assert bool(words) == warned
    if warned:
        assert words == [
            "Warning: always answering 'a' would be right on 75.0 % of the test samples, and flips, with 75.0 %, is "
            "not proven to do better."
        ]


@pytest.mark.parametrize(("right", "warned"), [(9, False), (0, True)])
def test_of_two_seeds_only_a_score_like_that_of_a_constant_answer_is_warned_of(right: int, warned: bool) -> None:
    """Their interval reaches below any share, even where nine in ten are right."""
    assert bool(cautions(found((10, 10), ((30, 0), (10 - right, right)), (-0.5, 2.0), seeds=2))) == warned
