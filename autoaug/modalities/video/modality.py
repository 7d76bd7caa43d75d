"""The modality of video; each part is a module, imported on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autoaug.modalities.base import Attack, Corruption, Fusion, Loader, Mixer, Modality, Pictures, Values
from autoaug.modalities.image import MODALITY as IMAGE
from autoaug.modalities.networks import Models
from autoaug.modalities.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor

_FOLDER = Path(__file__).parent


class _Video(Modality):
    name = "video"
    families = ("time", *IMAGE.families)
    usual_base = {"VideoHorizontalFlip": 1.0, "VideoPadCrop": 0.25}  # noqa: RUF012 (never modified)
    baselines = ("none", "video-flip-crop", "video-randaugment", "video-trivialaugment")
    usual_policy = "video-flip-crop"
    filter_policy = "video-randaugment"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"
    inference = _FOLDER / "inference.py.txt"

    def register(self) -> None:
        from autoaug.modalities.video import space, timing  # noqa: F401 (importing them registers)

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        from autoaug.modalities.video.fusion import FUSIONS

        return FUSIONS

    @property
    def values(self) -> Values:
        from autoaug.modalities.video import values

        return values

    @property
    def mixing(self) -> Mixer:
        from autoaug.modalities.video import mixing

        return mixing

    @property
    def loader(self) -> Loader:
        from autoaug.modalities.video import loader

        return loader

    @property
    def models(self) -> Models:
        from autoaug.modalities.video import models

        return models

    @property
    def pictures(self) -> Pictures:
        from autoaug.modalities.video import pictures

        return pictures

    @property
    def attacks(self) -> Mapping[str, Attack]:
        from autoaug.modalities.video.attacks import ATTACKS

        return ATTACKS

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        from autoaug.modalities.video.corruptions import CORRUPTIONS

        return CORRUPTIONS

    @property
    def few_corruptions(self) -> Sequence[str]:
        from autoaug.modalities.video.corruptions import FEW

        return FEW

    @property
    def exports(self) -> Mapping[str, Runtime]:
        from autoaug.modalities.video.exports import EXPORTS

        return EXPORTS

    def features(self, values: Tensor) -> list[Tensor]:
        from autoaug.modalities.video.features import features

        return features(values)

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.video.features import copy_vectors

        return copy_vectors(stored)

    def roughness(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.video.features import roughness

        return roughness(stored)

    def examples(self) -> np.ndarray:
        from autoaug.modalities.video.examples import clips

        return clips()


MODALITY = _Video()
