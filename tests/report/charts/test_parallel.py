"""The choices and scores of trials."""

from __future__ import annotations

from autoaug.report.charts.parallel import choices, parallel_figure
from autoaug.results import ACCURACY
from tests.report.records import trial


def test_choices_that_all_trials_made_and_that_differ_are_kept() -> None:
    params = [{"layers": i, "same": 1.0, **({"rare": i} if i else {})} for i in range(4)]
    trials = [trial(i, 0.1 * i, params=p) for i, p in enumerate(params)]
    chosen = choices([*trials, trial(9, 0.9, params={"layers": 9}, data_fraction=0.5)], ACCURACY)
    assert chosen is not None
    assert chosen.choices == {"layers": (0, 1, 2, 3)}
    assert chosen.table(ACCURACY) == (("accuracy, %", "layers"), [(0, 0), (10, 1), (20, 2), (100 * (0.1 * 3), 3)])
    assert choices(trials[:3], ACCURACY) is None


def test_the_ticks_of_the_first_axis_have_room_and_numbers_are_told_once() -> None:
    long = "one of 22 operators of all kinds"
    trials = [trial(i, 0.1 * i, params={"family": long if i % 2 else "none"}) for i in range(4)]
    chosen = choices(trials, ACCURACY)
    assert chosen is not None
    figure = parallel_figure(chosen, ACCURACY)
    assert figure.layout.margin.l > 7 * len(long), "letters have 7 pixels in the mean"
    assert figure.data[0].rangefont.color == "rgba(0,0,0,0)", "what plotly writes where the names of axes are"
