"""Policies for clips in the words of ``torchvision.transforms.v2``, which changes all frames of a clip alike; see
`autoaug.modalities.runtime.Words`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autoaug.modalities.expressions import number, pair
from autoaug.modalities.image.exports.idioms import torchvision as of_images
from autoaug.modalities.runtime import Call, Expression

use = "clips = Augment()(clips); torch.manual_seed seeds it"
imports: Sequence[str] = of_images.imports
helpers: Sequence[Path] = (*of_images.helpers, Path(__file__).parent / "torchvision_helpers.py")
shell = Path(__file__).parent / "torchvision.txt"
published: Mapping[str, str] = {
    "video-trivialaugment": of_images.published["trivialaugment-wide"],
    "video-randaugment": of_images.published["randaugment"].format(n=2, m=9),
}
published_note = "torchvision's own automatic policies draw once per clip."

#: The function of each operator on time, and the name of its value.
_CHOICES: Mapping[str, tuple[str, str]] = {
    "TemporalCrop": ("temporal_crop", "share"),
    "PlaybackSpeed": ("playback_speed", "octaves"),
    "Freeze": ("freeze", "share"),
    "TemporalCutout": ("temporal_cutout", "share"),
}

choice, in_turn, nothing = of_images.choice, of_images.in_turn, of_images.nothing


def operation(operator: str, low: float, high: float, probability: float, either: bool) -> Expression | None:
    """See `autoaug.modalities.runtime.Words`."""
    if operator.startswith("Video"):
        return of_images.operation(operator.removeprefix("Video"), low, high, probability, either)
    if operator in _CHOICES:
        function, name = _CHOICES[operator]
        text = f"RandomValue({function}, {name}={pair(low, high)}, place=(0, 1))"
    elif operator == "FrameDrop":
        text = f"RandomValue(frame_drop, share={pair(low, high)})"
    elif operator == "Reverse":
        text = "RandomValue(reverse)"
    else:
        return None  # magnitudes that vary over a clip
    return text if probability == 1 else Call("v2.RandomApply([", [text], f"], p={number(probability)})")


def mixing(kinds: Sequence[str], probability: float, alpha: float) -> str | None:
    """See `autoaug.modalities.runtime.Words`: the exact module mixes."""
    return None
