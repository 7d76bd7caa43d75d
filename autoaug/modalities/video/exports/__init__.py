"""The parts of exported code for video: functions and class texts, none of which refer to autoaug. Operators on frames
are those of images, also where a library has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from autoaug.modalities.image.exports import kornia, torchvision
from autoaug.modalities.runtime import Runtime, TorchRuntime
from autoaug.modalities.video.exports import apply, mixing, plain
from autoaug.modalities.video.exports.idioms import torchvision as in_torchvision

_KINDS = {
    "samples": "samples",
    "colors": "colors",
    "warp": "warp",
    "projection": "warp",
    "field": "field",
    "frames": "frames",
}
_VARYING = ("varying samples", "varying colors", "varying warp")
_KINDS |= {kind: kind for kind in _VARYING}
_OF_LIBRARY = dict.fromkeys(_VARYING, "varying samples")
_USE = "clips = Augment()(clips)"

EXPORTS: Mapping[str, Runtime] = {
    "torchvision": TorchRuntime(
        *(_USE, torchvision, True, _KINDS, apply, plain, mixing), library_kinds=_OF_LIBRARY, words=in_torchvision
    ),
    "kornia": TorchRuntime(_USE, kornia, False, _KINDS, apply, plain, mixing, library_kinds=_OF_LIBRARY),
}
