"""Images: ``[n, C, H, W]``, stored as uint8, worked on as floating point in [0, 1]."""

from autoaug.modalities.image.modality import MODALITY

__all__ = ["MODALITY"]
