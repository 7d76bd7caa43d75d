"""Fifteen corruptions of video at five severities: those of images (Hendrycks and Dietterich, 2019) that cameras,
weather and codecs make, and frames that come late, stand still or are lost (after Yi et al., 2021). Noise is another
one in each frame; all else is drawn once per clip.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor

from autoaug.modalities.corruptions import corrupt
from autoaug.modalities.image.corruptions import CORRUPTIONS as OF_IMAGES

_NOISE = ("gaussian noise", "shot noise", "impulse noise")
#: The operator of each of the others, with its magnitudes at the five severities; a negative number means the negative
#: sign.
_OPERATORS: dict[str, tuple[str, tuple[float, ...]]] = {
    "defocus blur": ("VideoGaussianBlur", (0.2, 0.3, 0.4, 0.55, 0.7)),
    "motion blur": ("VideoMotionBlur", (0.2, 0.35, 0.5, 0.65, 0.8)),
    "rain": ("VideoRain", (0.3, 0.45, 0.6, 0.75, 0.9)),
    "fog": ("VideoFog", (0.3, 0.45, 0.6, 0.75, 0.9)),
    "brightness": ("VideoBrightness", (0.15, 0.3, 0.45, 0.6, 0.75)),
    "contrast": ("VideoContrast", (-0.4, -0.55, -0.7, -0.8, -0.9)),
    "saturation": ("VideoSaturation", (-0.3, -0.5, -0.7, -0.85, -1.0)),
    "pixelate": ("VideoPixelate", (0.25, 0.35, 0.45, 0.6, 0.8)),
    "jpeg": ("VideoJPEG", (0.79, 0.84, 0.87, 0.92, 0.96)),
    "frame rate": ("FrameDrop", (0.3, 0.5, 0.7, 0.85, 1.0)),
    "freeze": ("Freeze", (0.2, 0.4, 0.6, 0.8, 1.0)),
    "lost frames": ("TemporalCutout", (0.2, 0.35, 0.5, 0.65, 0.8)),
}
#: One of each group.
FEW = ("gaussian noise", "motion blur", "fog", "contrast", "jpeg", "frame rate")


def corrupt_frames(name: str, clips: Tensor, severity: int) -> Tensor:
    """Corrupt each frame on its own, as images are."""
    return OF_IMAGES[name](clips.flatten(0, 1), severity).view(clips.shape)


CORRUPTIONS = {
    **{name: partial(corrupt_frames, name) for name in _NOISE},
    **{name: partial(corrupt, [operator], "video") for name, operator in _OPERATORS.items()},
}
