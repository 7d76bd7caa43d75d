"""The modality of text; each part is a module, imported on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autoaug.modalities.base import Attack, Corruption, Fusion, Loader, Mixer, Modality, Pictures, Values
from autoaug.modalities.networks import Models
from autoaug.modalities.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor

_FOLDER = Path(__file__).parent


class _Text(Modality):
    name = "text"
    families = ("meaning", "words", "signs", "letters")
    is_continuous = False
    usual_base = {"WordDeletion": 0.2}  # noqa: RUF012 (never modified)
    baselines = ("none", "eda", "aeda", "eda-light")
    usual_policy = "eda"
    filter_policy = "eda-light"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"

    def register(self) -> None:
        from autoaug.modalities.text import characters, edits, synonyms  # noqa: F401 (importing them registers)

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        from autoaug.modalities.text.fusion import FUSIONS

        return FUSIONS

    @property
    def values(self) -> Values:
        from autoaug.modalities.text import values

        return values

    def lengths(self, values: Tensor) -> Tensor:
        from autoaug.modalities.text.bits import lengths_of

        return lengths_of(values)

    @property
    def mixing(self) -> Mixer:
        from autoaug.modalities.text import mixing

        return mixing

    @property
    def loader(self) -> Loader:
        from autoaug.modalities.text import loader

        return loader

    @property
    def models(self) -> Models:
        from autoaug.modalities.text import models

        return models

    @property
    def pictures(self) -> Pictures:
        from autoaug.modalities.text import pictures

        return pictures

    @property
    def attacks(self) -> Mapping[str, Attack]:
        from autoaug.modalities.text.attacks import ATTACKS

        return ATTACKS

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        from autoaug.modalities.text.corruptions import CORRUPTIONS

        return CORRUPTIONS

    @property
    def few_corruptions(self) -> Sequence[str]:
        from autoaug.modalities.text.corruptions import FEW

        return FEW

    @property
    def exports(self) -> Mapping[str, Runtime]:
        from autoaug.modalities.text.exports import EXPORTS

        return EXPORTS

    def features(self, values: Tensor) -> list[Tensor]:
        from autoaug.modalities.text.features import features

        return features(values)

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.text.features import copy_vectors

        return copy_vectors(stored)

    def examples(self) -> np.ndarray:
        from autoaug.modalities.text.examples import texts

        return texts()


MODALITY = _Text()
