"""Text: rows of tokens ``[n, L, 3]``, each the UTF-8 of a word in 24 bytes, which need no vocabulary."""

from autoaug.modalities.text.modality import MODALITY

__all__ = ["MODALITY"]
