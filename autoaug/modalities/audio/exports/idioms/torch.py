"""Policies as modules of PyTorch alone; see `autoaug.modalities.runtime.Words`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autoaug.modalities.audio.exports.idioms.steps import step
from autoaug.modalities.expressions import one_of
from autoaug.modalities.runtime import Call, Expression

_SOUND, _PACKAGE = Path(__file__).parents[2], Path(__file__).parents[4]
_FUNCTIONS = ("fourier", "signals", "recordings", "noise", "room", "level", "filters", "timing", "vocoder")

use = "waves = Augment()(waves); torch.manual_seed seeds it"
imports: Sequence[str] = ("import torch", "from torch import Tensor")
#: The operators are autoaug's own, which need only PyTorch.
helpers: Sequence[Path] = (
    *(_PACKAGE / "functional" / f"{name}.py" for name in ("tensors", "noise", "straight_through")),
    *(_SOUND / f"{name}.py" for name in _FUNCTIONS),
    Path(__file__).parent / "torch_helpers.py",
)
shell = Path(__file__).parent / "torch.txt"
published: Mapping[str, str] = {}
published_note = ""


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    return None if either else step(operator, low, high, probability)


def choice(items: Sequence[Expression], weights: Sequence[float]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return one_of("OneOf", items, weights)


def in_turn(items: Sequence[Expression]) -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return Call("nn.Sequential(", items, ")")


def nothing() -> Expression:
    """See `autoaug.modalities.runtime.Words`."""
    return "nn.Identity()"


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: the exact module mixes."""
    return None
