"""Option records: defaults, errors and help."""

# No `from __future__ import annotations` here: the annotations of records are read as they are.
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import pytest

from autoaug.errors import OptionError, UnknownName
from autoaug.utils.options import Option, Options, takes


@dataclass(frozen=True, kw_only=True)
class Meal(Options):
    dish: Annotated[str, Option("What to eat.", is_argument=True)] = field(kw_only=False)
    guests: Annotated[int | None, Option("How many.")] = None
    side_dish: Annotated[Literal["rice", "bread"] | None, Option("What goes with it.")] = "rice"
    place: Annotated[Literal["home"], Option("Where to eat.", flag="--at")] = "home"
    sauces: Annotated[Sequence[str], Option("What is on the table.")] = ()


@takes(Meal)
def cook(meal: Meal) -> str:
    """Cook it."""
    return f"{meal.dish} with {meal.side_dish} for {meal.guests}"


def test_a_function_is_called_with_the_fields_of_its_record() -> None:
    assert cook("soup", guests=3) == "soup with rice for 3"
    with pytest.raises(UnknownName, match="unknown option 'gests'; did you mean 'guests'"):
        cook("soup", gests=3)  # type: ignore[call-arg]


def test_it_shows_them_with_their_help() -> None:
    signature = inspect.signature(cook)
    assert list(signature.parameters) == ["dish", "guests", "side_dish", "place", "sauces"]
    assert signature.parameters["guests"].annotation == int | None
    assert signature.parameters["guests"].kind == inspect.Parameter.KEYWORD_ONLY
    assert (cook.__doc__ or "").splitlines()[0] == "Cook it."
    assert "    side_dish: What goes with it." in (cook.__doc__ or "").splitlines()


def test_values_are_settled() -> None:
    meal = Meal("soup", guests=np.int64(3), sauces=["soy"])  # type: ignore[arg-type]
    assert (type(meal.guests), meal.sauces) == (int, ("soy",))
    assert Meal("soup", sauces=None).sauces == ()  # type: ignore[arg-type]
    assert Meal("soup", side_dish=None).side_dish is None


def test_a_text_that_a_field_does_not_take_is_refused() -> None:
    with pytest.raises(OptionError, match="--side-dish 'pasta' must be one of: rice, bread"):
        Meal("soup", side_dish="pasta")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="--at 'noon' must be one of: home"):
        Meal("soup", place="noon")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("guests", "3", "a whole number"),
        ("guests", 2.5, "a whole number"),
        ("guests", True, "a whole number"),
        ("dish", 3, "text"),
        ("sauces", 3, "a list"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(OptionError, match=f"{value!r} must be {words}$"):
        Meal(**({"dish": "soup"} | {name: value}))  # type: ignore[arg-type]


def test_a_single_text_is_one_of_several() -> None:
    assert Meal("soup", sauces="soy").sauces == ("soy",)
