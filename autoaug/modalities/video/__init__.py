"""Video: clips ``[n, T, C, H, W]`` of a fixed number of frames, uint8 in storage, in [0, 1] in the engine."""

from autoaug.modalities.video.modality import MODALITY

__all__ = ["MODALITY"]
