"""Operators of images on clips: a clip draws once, and each of its frames is changed as an image that drew that. Some
are there a second time, with a magnitude that varies over the clip.
"""

from __future__ import annotations

from autoaug.modalities.image import MODALITY as IMAGE
from autoaug.modalities.operators import IDENTITY, Operator, operator, registered

#: How cameras move, and what light and focus do.
_VARYING = (
    *("Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY", "Scale"),
    *("Brightness", "Contrast", "Saturation", "Hue", "Sharpness", "Solarize", "GaussianBlur", "Cutout"),
)


def _on_clips(own: Operator, name: str, kind: str) -> None:
    """Register the operator of images as one on clips."""
    operator(
        name,
        modality="video",
        family=own.family,
        unit=own.unit,
        limit=own.limit,
        signed=own.signed,
        kind=kind,
        jumps=own.jumps,
    )(own.function)


IMAGE.register()
for own in registered(IMAGE.name):
    if own.name != IDENTITY:
        _on_clips(own, f"Video{own.name}", own.kind)
    if own.name in _VARYING:
        _on_clips(own, f"Dynamic{own.name}", f"varying {own.kind}")
