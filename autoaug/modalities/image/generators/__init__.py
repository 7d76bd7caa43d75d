"""Generators of images by the kind that policies name."""

from autoaug.modalities.generators import Generator
from autoaug.modalities.image.generators.gan import Gan
from autoaug.modalities.image.generators.gaussian import Pca

GENERATORS: dict[str, Generator] = {"gan": Gan(), "pca": Pca()}

__all__ = ["GENERATORS"]
