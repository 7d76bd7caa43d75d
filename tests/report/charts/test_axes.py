"""Names on axes: Plotly draws equal ones at one place."""

from __future__ import annotations

import numpy as np

from autoaug.report.charts.candidates import CandidateRow, candidates_figure
from autoaug.report.charts.classes import Classes, ClassRow, classes_figure
from autoaug.report.charts.compared import ComparedRow, compared_figure
from autoaug.report.charts.confusion import Confusion, confusion_figure
from autoaug.report.charts.parallel import Choices
from autoaug.report.charts.slices import slices_figure
from autoaug.report.charts.style import distinct
from autoaug.results import ACCURACY

LONG = "a very long scientific name of a subspecies"
NAMES = (f"{LONG} A", f"{LONG} B", "<b>", f"{LONG} in between: {LONG}", f"{LONG} and elsewhere: {LONG}")


def row(name: str, seeds: int = 3) -> CandidateRow:
    return CandidateRow(name, name, "", "baseline", False, 50.0, 40.0, 60.0, (50.0,) * seeds, 50.0, 1.0)


def test_names_are_shortened_and_stay_different() -> None:
    labels = distinct(NAMES)
    assert len(set(labels)) == len(NAMES)
    assert labels[0].endswith("subspecies A")
    assert labels[2] == "&lt;b&gt;"
    assert all(len(label) <= 32 + len(" (2)") for label in labels)
    assert distinct([f"{LONG} A", "b"]) == [f"{LONG[:31]}…", "b"], "there is nothing to be told apart from"


def test_each_class_has_its_row_and_its_column() -> None:
    rows = tuple(ClassRow(name, 10.0 * i, 20.0, 0.1, None) for i, name in enumerate(NAMES))
    places = classes_figure(Classes("before", "after", rows)).layout.yaxis.categoryarray
    assert len(set(places)) == len(NAMES)
    shares = tuple(map(tuple, np.eye(len(NAMES)).tolist()))
    (cells,) = confusion_figure(Confusion(NAMES, ("before", "after"), shares, shares)).data
    assert len(set(cells.x)) == len(set(cells.y)) == len(NAMES)


def test_names_of_candidates_leave_room_for_their_chart_on_a_phone() -> None:
    found = row("Speed up to 0.46 + 3 × one of 5…")._replace(returned=True)
    labels = candidates_figure([found, row("specaugment-sm+speed")], ACCURACY).layout.yaxis.categoryarray
    assert labels == ("specaugment-sm+speed", "<b>Speed up to 0.46 + 3 ×<br>one of 5… ◂\u00a0returned</b>")


def test_each_candidate_and_each_value_has_its_place() -> None:
    assert len(set(candidates_figure([*map(row, NAMES)], ACCURACY).layout.yaxis.categoryarray)) == len(NAMES)
    figure = slices_figure(Choices(1.0, {"what": NAMES, "how much": (1, 2, 3, 4, 5)}, (1.0,) * 5), ACCURACY)
    assert [len(set(trace.x)) for trace in figure.data] == [5, 5]


def test_each_run_has_its_group_and_too_few_seeds_have_no_interval() -> None:
    rows = [ComparedRow(run, row(name, seeds)) for run, seeds in ((NAMES[0], 2), (NAMES[1], 3)) for name in NAMES]
    (figure,) = compared_figure(rows, ACCURACY).data
    assert len(set(zip(*figure.y, strict=True))) == len(rows)
    assert list(figure.error_x.array) == [0.0] * 5 + [10.0] * 5 == list(figure.error_x.arrayminus)
