"""The modality of series."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autoaug.modalities.base import Fusion, Loader, Mixer, Modality, Pictures, Values
from autoaug.modalities.networks import Models


class _Series(Modality):
    name = "series"
    families = ("time", "level")
    usual_base = {"SeriesShift": 0.5}
    baselines = ("none", "series-shift")
    policies = Path(__file__).parent / "policies"
    spaces = Path(__file__).parent / "spaces"

    def register(self) -> None:
        import toy_series.operators  # noqa: F401 (importing registers)

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        from toy_series.fusion import FUSIONS

        return FUSIONS

    @property
    def values(self) -> Values:
        from toy_series import values

        return values

    @property
    def mixing(self) -> Mixer:
        from toy_series import mixing

        return mixing

    @property
    def loader(self) -> Loader:
        from toy_series import loader

        return loader

    @property
    def models(self) -> Models:
        from toy_series import models

        return models

    @property
    def pictures(self) -> Pictures:
        from toy_series import pictures

        return pictures

    def examples(self) -> np.ndarray:
        time = np.linspace(0, 2 * np.pi, 60, dtype=np.float32)
        return np.stack([np.sin(2 * time), np.sign(np.sin(3 * time))])[:, None].astype(np.float32)


MODALITY = _Series()
