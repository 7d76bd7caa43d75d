"""The image modality; each part is a module, imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from autoaug.modalities.arrays import ArrayEngine
from autoaug.modalities.base import (
    Annotations,
    Attack,
    Corruption,
    Fusion,
    Loader,
    Mixer,
    Modality,
    Pictures,
    Proxy,
    Values,
)
from autoaug.modalities.generators import Generator
from autoaug.modalities.networks import Models
from autoaug.modalities.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor

_PACKAGED = Path(__file__).parents[2] / "search_spaces"
_CHECKOUT = Path(__file__).parents[3] / "search_spaces"


class _Images(Modality):
    name = "image"
    families = ("geometry", "deformation", "tone", "color", "weather", "occlusion", "filters", "sensor")
    usual_base = {"HorizontalFlip": 1.0, "PadCrop": 0.25}  # noqa: RUF012 (never modified)
    baselines = (
        *("none", "flip-crop", "flip-crop+trivialaugment-wide", "randaugment", "flip-crop+cutmix", "trivialaugment"),
        *("flip-crop+trivialaugment-wide+cutout", "flip-crop+mixup", "flip-crop+trivialaugment-wide-32px"),
    )
    usual_policy = "flip-crop+trivialaugment-wide"
    filter_policy = "randaugment"
    policies = Path(__file__).parent / "policies"
    spaces = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    inference = Path(__file__).parent / "inference.py.txt"

    def register(self) -> None:
        from autoaug.modalities.image import (  # noqa: F401 (importing them registers)
            color,
            deformation,
            filters,
            geometry,
            occlusion,
            sensor,
            tone,
            weather,
        )

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        from autoaug.modalities.image.fusion import FUSIONS

        return FUSIONS

    @property
    def values(self) -> Values:
        from autoaug.modalities.image import values

        return values

    @property
    def mixing(self) -> Mixer:
        from autoaug.modalities.image import mixing

        return mixing

    @property
    def arrays(self) -> ArrayEngine | None:
        return _array_engine()

    @property
    def annotations(self) -> Annotations:
        from autoaug.modalities.image import annotations

        return annotations

    @property
    def exports(self) -> Mapping[str, Runtime]:
        from autoaug.modalities.image.exports import EXPORTS

        return EXPORTS

    @property
    def loader(self) -> Loader:
        from autoaug.modalities.image import loader

        return loader

    @property
    def models(self) -> Models:
        from autoaug.modalities.image import models

        return models

    @property
    def pictures(self) -> Pictures:
        from autoaug.modalities.image import pictures

        return pictures

    @property
    def attacks(self) -> Mapping[str, Attack]:
        from autoaug.modalities.image.attacks import ATTACKS

        return ATTACKS

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        from autoaug.modalities.image.corruptions import CORRUPTIONS

        return CORRUPTIONS

    @property
    def few_corruptions(self) -> Sequence[str]:
        from autoaug.modalities.image.corruptions import FEW

        return FEW

    @property
    def generators(self) -> Mapping[str, Generator]:
        from autoaug.modalities.image.generators import GENERATORS

        return GENERATORS

    def baselines_for(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        from autoaug.modalities.image.models import RESNET9_UP_TO

        if min(shape[1:]) <= RESNET9_UP_TO:
            return self.baselines
        return tuple("flip-resized-crop" if name == "flip-crop" else name for name in self.baselines)

    def proxy(self, shape: tuple[int, ...]) -> Proxy | None:
        from autoaug.modalities.image.features import shrunk
        from autoaug.modalities.image.models import RESNET9_UP_TO

        if min(shape[1:]) <= RESNET9_UP_TO:
            return None
        small = shape[0], RESNET9_UP_TO, RESNET9_UP_TO
        return Proxy(f"--size {RESNET9_UP_TO}", small, lambda stored: shrunk(stored, RESNET9_UP_TO))

    def features(self, values: Tensor) -> list[Tensor]:
        from autoaug.modalities.image.features import features

        return features(values)

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.image.features import copy_vectors

        return copy_vectors(stored)

    def roughness(self, stored: np.ndarray) -> np.ndarray:
        from autoaug.modalities.image.features import roughness

        return roughness(stored)

    def published_features(self, weights: Path, device: str) -> Callable[[Tensor], Tensor]:
        from autoaug.modalities.image.inception import InceptionFeatures

        return InceptionFeatures(weights, device)

    def examples(self) -> np.ndarray:
        from autoaug.modalities.image.examples import photographs

        return photographs()


@cache
def _array_engine() -> ArrayEngine | None:
    """The engine on arrays; None without OpenCV."""
    try:
        from autoaug.modalities.image import arrays
    except ImportError:
        return None
    engine: ArrayEngine = arrays
    return engine


MODALITY = _Images()
