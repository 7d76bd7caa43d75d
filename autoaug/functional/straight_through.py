"""Step functions whose gradient passes straight through (Bengio et al., 2013)."""

from __future__ import annotations

from torch import Tensor


def straight_through(stepped: Tensor, smooth: Tensor) -> Tensor:
    """The value of `stepped` with the gradient of `smooth`."""
    return smooth + (stepped - smooth).detach() if smooth.requires_grad else stepped


def round_through(x: Tensor) -> Tensor:
    """Round halves up (so a switch at one half is on), with the gradient of the identity."""
    return straight_through((x + 0.5).floor(), x)


def truncate_through(x: Tensor) -> Tensor:
    """Round toward 0, as Python's ``int``, with the gradient of the identity.

    A thousandth is added first, so that a product that a rounding error puts just below a whole number still counts as
    that number.
    """
    return straight_through((x + 1e-3 * x.sign()).trunc(), x)
