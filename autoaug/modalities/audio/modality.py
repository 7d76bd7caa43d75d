"""The modality of sound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from autoaug.modalities.audio.decoding import MOST_SECONDS
from autoaug.modalities.packaged import PackagedModality

if TYPE_CHECKING:
    from torch import Tensor

_FOLDER = Path(__file__).parent


class _Sound(PackagedModality):
    name = "audio"
    longest = 1000 * MOST_SECONDS
    families = ("level", "noise", "room", "filter", "time")
    operators = ("filters", "level", "noise", "room", "timing", "vocoder")
    slow_operators = {"TimeStretch": 6.0, "PitchShift": 9.0}  # noqa: RUF012 (never modified)
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

    def lengths(self, values: Tensor) -> Tensor:
        from autoaug.modalities.audio.signals import lengths_of

        return lengths_of(values)

    def resources(self) -> Mapping[str, str]:
        from autoaug.modalities.audio.resources import described

        return described()


MODALITY = _Sound()
