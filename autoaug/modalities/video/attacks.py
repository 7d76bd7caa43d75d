"""The attacks on clips, whose values are in [0, 1] and stored at 256 levels, as those of images are."""

from autoaug.modalities.image.attacks import ATTACKS

__all__ = ["ATTACKS"]
