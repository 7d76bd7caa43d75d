"""The modality of sound; each part is a module, imported on first use."""

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


class _Sound(Modality):
    name = "audio"
    families = ("level", "noise", "room", "filter", "time")
    slow_operators = {"TimeStretch": 7.0, "PitchShift": 13.0}  # noqa: RUF012 (never modified)
    usual_base = {"TimeShift": 0.3}  # noqa: RUF012 (never modified)
    baselines = (
        *("none", "specaugment-sm", "specaugment-sm+speed", "noise", "specaugment-lb", "specaugment-ld"),
        "specaugment-ss",
    )
    usual_policy = "specaugment-sm"
    filter_policy = "specaugment-sm"
    transcriber = "ctcnet"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"
    inference = _FOLDER / "inference.py.txt"

    def register(self) -> None:
        from autoaug.modalities.audio import (  # noqa: F401 (importing them registers)
            filters,
            level,
            noise,
            room,
            timing,
            vocoder,
        )

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        from autoaug.modalities.audio.fusion import FUSIONS

        return FUSIONS

    @property
    def values(self) -> Values:
        from autoaug.modalities.audio import values

        return values

    def lengths(self, values: Tensor) -> Tensor:
        from autoaug.modalities.audio.signals import lengths_of

        return lengths_of(values)

    @property
    def mixing(self) -> Mixer:
        from autoaug.modalities.audio import mixing

        return mixing

    @property
    def loader(self) -> Loader:
        from autoaug.modalities.audio import loader

        return loader

    @property
    def models(self) -> Models:
        from autoaug.modalities.audio import models

        return models

    @property
    def pictures(self) -> Pictures:
        from autoaug.modalities.audio import pictures

        return pictures

    @property
    def attacks(self) -> Mapping[str, Attack]:
        from autoaug.modalities.audio.attacks import ATTACKS

        return ATTACKS

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        from autoaug.modalities.audio.corruptions import CORRUPTIONS

        return CORRUPTIONS

    @property
    def few_corruptions(self) -> Sequence[str]:
        from autoaug.modalities.audio.corruptions import FEW

        return FEW

    @property
    def exports(self) -> Mapping[str, Runtime]:
        from autoaug.modalities.audio.exports import EXPORTS

        return EXPORTS

    def features(self, values: Tensor) -> list[Tensor]:
        from autoaug.modalities.audio.features import features

        return features(values)

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.audio.features import copy_vectors

        return copy_vectors(stored)

    def roughness(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.audio.features import roughness

        return roughness(stored)

    def examples(self) -> np.ndarray:
        from autoaug.modalities.audio.examples import sounds

        return sounds()


MODALITY = _Sound()
