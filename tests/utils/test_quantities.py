"""Numbers, times and sizes in the words of users."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import pytest

from autoaug.errors import OptionError
from autoaug.utils.quantities import (
    about,
    at_most_one,
    between,
    check_positive,
    counted,
    duration,
    parse_lengths,
    parse_memory,
    parse_multiple,
    parse_time,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.3, "less than a second"), (1, "1 second"), (59.4, "59 seconds"), (119, "119 seconds")),
        *((125, "2.1 minutes"), (3599.6, "60 minutes"), (24_922, "6.9 hours"), (90_000, "25 hours")),
    ],
)
def test_a_time_is_told_in_two_digits(seconds: float, words: str) -> None:
    assert duration(seconds) == words
    assert about(seconds) == (words if seconds < 1 else f"about {words}")


def test_one_thing_has_no_plural() -> None:
    assert [counted(n, "line") for n in (0, 1, 2)] == ["0 lines", "1 line", "2 lines"]
    assert [counted(n, "class", "classes") for n in (1, 2)] == ["1 class", "2 classes"]


def test_what_users_write_is_read() -> None:
    assert [parse_time("time", text) for text in ("90s", "1h30m", "1.5 h", "2d")] == [90, 5400, 5400, 172_800]
    assert [parse_memory("memory-limit", text) for text in ("7", "1.5K", "2GiB")] == [7, 1536, 2**31]
    assert parse_memory("memory-limit", "9" * 400) == sys.maxsize
    assert parse_multiple("budget", "2.5x") == 2.5
    assert [parse_lengths("size", value) for value in (64, "64", "96X128")] == [(64,), (64,), (96, 128)]
    assert parse_lengths("size", "2x20x30") == (2, 20, 30), "of frames, two are enough"


def test_programs_pass_numbers() -> None:
    assert parse_time("time", 90) == 90
    assert parse_multiple("budget", 2.5) == 2.5
    assert parse_memory("memory-limit", 2**31) == 2**31


@pytest.mark.parametrize(
    ("check", "value"),
    [
        *((parse_time, text) for text in ("", "banana", "0s", "30", "m", "-1m", "1h and", "99999d")),
        *((parse, value) for parse in (parse_time, parse_multiple) for value in (0, -1.0, math.inf, math.nan)),
        *((parse_multiple, text) for text in ("10", "x", "0x", "-1x", "nanx", "1e3x", "9" * 400 + "x")),
        *((parse_memory, text) for text in ("", "much", "-1G", "1X", -1)),
        *((parse_lengths, text) for text in ("", "big", "3", "3x64", "0x64x64", "2x3x64", "64x", "1" * 99)),
        *((check_positive, value) for value in (0.0, -1.0, math.inf, math.nan)),
        *((between(2), value) for value in (1, 10_001)),
    ],
)
def test_other_values_are_refused_by_name(check: Callable[[str, object], object], value: object) -> None:
    with pytest.raises(OptionError, match=r"^--cure .* must be"):
        check("cure", value)


def test_two_limits_exclude_each_other() -> None:
    at_most_one(time=None, trials=3)
    with pytest.raises(OptionError, match="--time and --trials are mutually exclusive"):
        at_most_one(time="1h", budget=None, trials=3)
