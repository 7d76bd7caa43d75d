"""The modality of images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from autoaug.modalities.arrays import ArrayEngine
from autoaug.modalities.base import Proxy
from autoaug.modalities.packaged import PackagedModality

if TYPE_CHECKING:
    from torch import Tensor

_FOLDER = Path(__file__).parent
_PACKAGED = Path(__file__).parents[2] / "search_spaces"
_CHECKOUT = Path(__file__).parents[3] / "search_spaces"


class _Images(PackagedModality):
    name = "image"
    families = ("geometry", "deformation", "tone", "color", "weather", "occlusion", "filters", "sensor")
    operators = ("color", "deformation", "filters", "geometry", "occlusion", "sensor", "tone", "weather")
    usual_base = {"HorizontalFlip": 1.0, "PadCrop": 0.25}  # noqa: RUF012 (never modified)
    baselines = (
        *("none", "flip-crop", "flip-crop+trivialaugment-wide", "randaugment", "flip-crop+cutmix", "trivialaugment"),
        *("flip-crop+trivialaugment-wide+cutout", "flip-crop+mixup", "flip-crop+trivialaugment-wide-32px"),
    )
    usual_policy = "flip-crop+trivialaugment-wide"
    filter_policy = "randaugment"
    policies = _FOLDER / "policies"
    spaces = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
    inference = _FOLDER / "inference.py.txt"

    @property
    def arrays(self) -> ArrayEngine | None:
        return _array_engine()

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

    def published_features(self, weights: Path, device: str) -> Callable[[Tensor], Tensor]:
        from autoaug.modalities.image.inception import InceptionFeatures

        return InceptionFeatures(weights, device)


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
