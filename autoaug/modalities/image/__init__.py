"""Images: ``[n, C, H, W]``, stored as uint8, processed in floating point in [0, 1]."""

from autoaug.modalities.image.modality import MODALITY

__all__ = ["MODALITY"]
