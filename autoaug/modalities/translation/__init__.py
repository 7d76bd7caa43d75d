"""Translation: pairs of a text and its translation, ``[n, 4, L, 3]``, with the tokens of the modality of text."""

from autoaug.modalities.translation.modality import MODALITY

__all__ = ["MODALITY"]
