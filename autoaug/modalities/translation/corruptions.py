"""The corruptions of texts, on the source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from torch import Tensor

from autoaug.modalities.base import Corruption
from autoaug.modalities.text.corruptions import CORRUPTIONS as OF_TEXTS
from autoaug.modalities.text.corruptions import FEW
from autoaug.modalities.translation.fusion import with_source
from autoaug.modalities.translation.pairs import SOURCE

__all__ = ["CORRUPTIONS", "FEW"]


def _corrupt(own: Corruption, values: Tensor, severity: int) -> Tensor:
    return with_source(values, own(values[:, SOURCE].contiguous(), severity))


CORRUPTIONS: Mapping[str, Corruption] = {name: partial(_corrupt, own) for name, own in OF_TEXTS.items()}
