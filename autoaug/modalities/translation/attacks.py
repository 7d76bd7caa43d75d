"""The attack of texts, on the source."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from autoaug.modalities.base import Attack, Loss
from autoaug.modalities.text.attacks import WorstOf
from autoaug.modalities.translation.fusion import with_source
from autoaug.modalities.translation.pairs import SOURCE
from autoaug.policy.models import Adversarial


class _OnSource:
    """An attack on texts, for the sources."""

    def __init__(self, own: Attack) -> None:
        self._own = own

    def __call__(self, loss: Loss, values: Tensor, how: Adversarial, generator: torch.Generator) -> Tensor:
        """See `autoaug.modalities.base.Attack`."""
        moved = self._own(
            lambda source: loss(with_source(values, source)), values[:, SOURCE].contiguous(), how, generator
        )
        return with_source(values, moved)

    def words(self, how: Adversarial) -> str:
        """The attack as text for readers."""
        return f"{self._own.words(how)}, of the source"


ATTACKS: Mapping[str, Attack] = {"worst-of": _OnSource(WorstOf())}
