"""The report's sentences."""

from __future__ import annotations

import pytest

from autoaug.report.tables.sentences import shift
from autoaug.results import ACCURACY
from tests.report.records import result, trial


@pytest.mark.parametrize(
    ("operators", "explained", "gained"),
    [
        (["Rotate"], "Rotate explains 98 %", "it gains +10.0 and -10.0 points, so the search does not use it."),
        (["Rotate", "Hue"], "Rotate, Hue explain 98 %", "they gain +10.0 and -10.0 points, so the search does not use"),
    ],
)
def test_the_shift_is_told_with_what_it_gained_in_training(operators: list[str], explained: str, gained: str) -> None:
    operations = [{"operator": operator, "magnitude": [0, 0.25]} for operator in operators]
    policy = {"layers": [{"sub_policies": [{"operations": operations}]}]}
    probed = {"policy": policy, "initial": 0.1, "residual": 0.002, "noise": 0.001, "sample_passes": 5}
    trained = [
        trial(i, value, name=name, data_fraction=0.25, seed_index=seed_index)
        for i, (name, seed_index, value) in enumerate(
            [("none", 0, 0.4), ("matched", 0, 0.5), ("none", 1, 0.4), ("matched", 1, 0.3)]
        )
    ]
    text = shift(result(*trained, probes={"matching": probed}), ACCURACY)
    assert text is not None
    assert f"{explained} of it; the rest is within the noise" in text
    assert gained in text
    nothing = shift(result(probes={"matching": {**probed, "policy": None}}), ACCURACY)
    assert nothing is not None
    assert "no operator explains it" in nothing
    assert shift(result(), ACCURACY) is None
