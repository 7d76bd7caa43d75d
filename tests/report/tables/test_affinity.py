"""The effect of each operator on a model trained without it."""

from __future__ import annotations

from autoaug.report.tables.affinity import affinities
from tests.report.records import result


def test_rows_have_the_measurement_at_half_and_the_highest_safe_strength() -> None:
    measured = {
        "Strong": [[0.25, 0.8, 1.0], [0.5, 0.6, 2.0]],
        "Mild": [[0.25, 1.0, 1.0], [0.5, 0.95, 1.5], [1.0, 0.7, 3.0]],
    }
    rows = affinities(result(probes={"affinity": {"operators": measured}}))
    assert [tuple(row) for row in rows] == [("Mild", 0.95, 1.5, "up to 0.5"), ("Strong", 0.6, 2.0, "none")]
