"""A modality of a third party: one-dimensional series ``[n, C, T]`` of numbers, stored as float32."""

from toy_series.modality import MODALITY

__all__ = ["MODALITY"]
