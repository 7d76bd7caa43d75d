"""Durations in words."""

from __future__ import annotations

import pytest

from autoaug.report.tables.costs import duration


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.21, "4.2 s"), (200, "3 min 20 s"), (3720, "1 h 02 min"), (7199, "1 h 59 min")]
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words
