"""The registry of operators."""

from __future__ import annotations

import pytest
from torch import Tensor

from autoaug.modalities import operators
from autoaug.modalities.operators import get_operator, learning, operator


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, operators.Operator]:
    """A copy that a test may add to."""
    operators.all_operators()
    monkeypatch.setattr(operators, "_registry", dict(operators._registry))
    return operators._registry


@pytest.mark.parametrize(
    ("doc", "summary"), [(None, ""), ("", ""), ("\n    Turn it.\n\n    Slowly.\n    ", "Turn it.")]
)
def test_an_operator_is_summed_up_by_its_first_line_if_it_has_one(
    doc: str | None, summary: str, registry: dict[str, operators.Operator]
) -> None:
    def turned(values: Tensor, magnitudes: Tensor, uniforms: Tensor) -> Tensor:
        return values

    turned.__doc__ = doc
    operator("Turned", modality="image", family="own", unit="turns")(turned)
    assert get_operator("Turned").summary == summary


def test_a_name_is_registered_once(registry: dict[str, operators.Operator]) -> None:
    with pytest.raises(ValueError, match="'Rotate' is registered twice"):
        operator("Rotate", modality="image", family="own", unit="turns")(lambda *_: _)


def test_what_learns_is_marked_before_it_is_registered(registry: dict[str, operators.Operator]) -> None:
    def turned(values: Tensor, magnitudes: Tensor, uniforms: Tensor) -> Tensor:
        return values

    operator("Turned", modality="image", family="own", unit="turns")(turned)
    with pytest.raises(ValueError, match=r"turned is registered .* put @learning below @operator"):
        learning(lambda _: "")(turned)
