"""What the table of Kornia's functions concludes from what it measures."""

from __future__ import annotations

import pytest

from benchmarks import kornia_table


@pytest.mark.parametrize(
    ("operator", "speed", "choice"),
    [
        ("Hue", 1.0, "Kornia"),
        ("MedianBlur", 1.0, "Kornia"),
        ("Hue", 0.5, "ours: slower"),
        ("Equalize", 1.0, "ours: lacks a gradient"),
        ("MotionBlur", 1.0, "ours: one value for all images, agrees in"),
        ("Rotate", 1.0, "ours: one warp with its neighbors"),
    ],
)
def test_a_function_of_kornia_is_used_where_it_does_as_well(
    operator: str, speed: float, choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kornia_table, "speed", lambda *_: speed)
    assert kornia_table.row(operator, 0).split("|")[-2].strip().startswith(choice)
