"""Sound: waveforms ``[n, C, T]`` at 16 kHz, stored as int16, processed in floating point in [-1, 1]."""

from autoaug.modalities.audio.modality import MODALITY

__all__ = ["MODALITY"]
