"""Operators of images on clips: a clip draws once, and each of its frames is changed as an image that drew that."""

from __future__ import annotations

from autoaug.modalities.image import MODALITY as IMAGE
from autoaug.modalities.operators import IDENTITY, operator, registered

IMAGE.register()
for own in registered(IMAGE.name):
    if own.name != IDENTITY:
        operator(
            f"Video{own.name}",
            modality="video",
            family=own.family,
            unit=own.unit,
            limit=own.limit,
            signed=own.signed,
            kind=own.kind,
            jumps=own.jumps,
        )(own.function)
