"""What a policy changed, per class."""

from __future__ import annotations

import pytest

from autoaug.policy.models import Policy
from autoaug.report.charts.classes import Classes, ClassRow, classes, classes_figure
from autoaug.report.charts.confusion import confusion
from autoaug.results import Candidate, DataSummary, Returned
from tests.report.records import result


def candidate(name: str, kind: str, accuracies: tuple[float, ...]) -> Candidate:
    rows = tuple((value, None, 1.0) for value in accuracies)
    return Candidate.model_construct(
        trial=None,
        policy=Policy(),
        name=name,
        kind=kind,
        mean=0.5,
        validation_mean=0.5,
        seeds=(1, 2),
        class_scores=(sum(accuracies) / 2, None, 1.0),
        class_scores_by_seed=rows,
        confusion=((6, 2, 0), (0, 0, 0), (0, 0, 8)),
    )


def test_a_class_that_the_test_split_lacks_is_left_out() -> None:
    candidates = candidate("none", "baseline", (0.5, 0.25)), candidate("found", "searched", (0.75, 0.75))
    about = DataSummary.model_construct(classes=("a", "b", "c"))
    given = result(candidates=candidates, data=about, returned=Returned.model_construct(name="found"))
    chart = classes(given)
    assert chart is not None
    assert [(row.name, row.before, row.after) for row in chart.rows] == [("c", 100.0, 100.0), ("a", 37.5, 75.0)]
    shares = confusion(given)
    assert shares is not None
    assert shares.names == ("none", "found")
    assert shares.before == ((75.0, 25.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 100.0))


@pytest.mark.parametrize("seeds", [2, 3])
def test_two_seeds_have_no_interval(seeds: int) -> None:
    """A Student's t of one degree of freedom made it hundreds of points wide."""
    scores = {"none": (0.5, 0.25, 0.5)[:seeds], "found": (0.75, 0.75, 0.5)[:seeds]}
    candidates = [
        candidate(name, "baseline", own).model_copy(update={"seeds": tuple(range(seeds))})
        for name, own in scores.items()
    ]
    about = DataSummary.model_construct(classes=("a", "b", "c"))
    per_class = classes(result(candidates=candidates, data=about, returned=Returned.model_construct(name="found")))
    assert per_class is not None
    assert [row.ci95 is not None for row in per_class.rows] == [seeds == 3] * 2


def test_no_change_of_a_recall_is_beyond_100_points() -> None:
    """A Student's t of two degrees of freedom reached beyond them (-109 to +149)."""
    candidates = [
        candidate(name, "baseline", own).model_copy(update={"seeds": (0, 1, 2)})
        for name, own in {"none": (1.0, 0.0, 0.1), "found": (0.4, 0.3, 1.0)}.items()
    ]
    about = DataSummary.model_construct(classes=("a", "b", "c"))
    per_class = classes(result(candidates=candidates, data=about, returned=Returned.model_construct(name="found")))
    assert per_class is not None
    assert [row.ci95 for row in per_class.rows if row.name == "a"] == [(-100.0, 100.0)]


def test_a_run_without_scores_per_class_has_no_such_chart() -> None:
    candidates = [
        candidate(name, "baseline", (0.5, 0.25)).model_copy(update={"class_scores": (), "class_scores_by_seed": ()})
        for name in ("none", "other")
    ]
    about = DataSummary.model_construct(classes=("a", "b", "c"))
    assert (
        classes(
            result(candidates=candidates, data=about, returned=Returned.model_construct(name="other")),
        )
        is None
    )


def test_recall_ends_at_100_percent() -> None:
    """Where all classes had 100 %, the axis went on to 101 %."""
    axis = classes_figure(Classes("none", "found", (ClassRow("a", 100.0, 100.0, 0.0, None),))).layout.xaxis
    assert axis.autorangeoptions.clipmax == 100
