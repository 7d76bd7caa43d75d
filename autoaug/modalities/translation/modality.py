"""The modality of translation; each part is a module, imported on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autoaug.modalities.base import Attack, Corruption, Fusion, Loader, Mixer, Modality, Pictures, Values
from autoaug.modalities.networks import Models
from autoaug.modalities.runtime import Runtime
from autoaug.modalities.text import MODALITY as TEXT

if TYPE_CHECKING:
    from torch import Tensor

_FOLDER = Path(__file__).parent


class _Translation(Modality):
    name = "translation"
    families = ("source", *TEXT.families)
    is_continuous = False
    usual_base = {"WordDropout": 0.2}  # noqa: RUF012 (never modified)
    baselines = ("none", "word-dropout", "source-noise", "concatenation")
    usual_policy = "word-dropout"
    filter_policy = "word-dropout"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"

    def register(self) -> None:
        from autoaug.modalities.translation import source  # noqa: F401 (importing it registers)

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        from autoaug.modalities.translation.fusion import FUSIONS

        return FUSIONS

    @property
    def values(self) -> Values:
        from autoaug.modalities.translation import values

        return values

    @property
    def mixing(self) -> Mixer:
        from autoaug.modalities.translation import mixing

        return mixing

    @property
    def loader(self) -> Loader:
        from autoaug.modalities.translation import loader

        return loader

    @property
    def models(self) -> Models:
        from autoaug.modalities.translation import models

        return models

    @property
    def pictures(self) -> Pictures:
        from autoaug.modalities.translation import pictures

        return pictures

    @property
    def attacks(self) -> Mapping[str, Attack]:
        from autoaug.modalities.translation.attacks import ATTACKS

        return ATTACKS

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        from autoaug.modalities.translation.attacks import CORRUPTIONS

        return CORRUPTIONS

    @property
    def few_corruptions(self) -> Sequence[str]:
        return TEXT.few_corruptions

    @property
    def exports(self) -> Mapping[str, Runtime]:
        from autoaug.modalities.translation.exports import EXPORTS

        return EXPORTS

    def features(self, values: Tensor) -> list[Tensor]:
        return [block for row in values[:, :2].unbind(1) for block in TEXT.features(row)]

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        return np.concatenate([TEXT.copy_vectors(np.ascontiguousarray(stored[:, row])) for row in (0, 1)], 1)

    def examples(self) -> np.ndarray:
        from autoaug.modalities.translation.pairs import as_pairs

        return as_pairs(
            [
                (
                    "The company said prices rose quickly last year.",
                    "La empresa dijo que los precios subieron.",
                ),
                ("Analysts did not expect that.", "Los analistas no lo esperaban."),
            ],
            room=2,
        )


MODALITY = _Translation()
