"""The modality of series."""

from __future__ import annotations

from pathlib import Path

from autoaug.modalities.packaged import PackagedModality

_FOLDER = Path(__file__).parent


class _Series(PackagedModality):
    name = "series"
    families = ("time", "level")
    operators = ("operators",)
    usual_base = {"SeriesShift": 0.5}
    baselines = ("none", "series-shift")
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"


MODALITY = _Series()
