"""The modality of video."""

from __future__ import annotations

from pathlib import Path

from autoaug.modalities.image import MODALITY as IMAGE
from autoaug.modalities.packaged import PackagedModality

_FOLDER = Path(__file__).parent


class _Video(PackagedModality):
    name = "video"
    families = ("time", *IMAGE.families)
    operators = ("space", "timing")
    usual_base = {"VideoHorizontalFlip": 1.0, "VideoPadCrop": 0.25}  # noqa: RUF012 (never modified)
    baselines = ("none", "video-flip-crop", "video-randaugment", "video-trivialaugment")
    usual_policy = "video-flip-crop"
    filter_policy = "video-randaugment"
    policies = _FOLDER / "policies"
    spaces = _FOLDER / "spaces"
    inference = _FOLDER / "inference.py.txt"


MODALITY = _Video()
