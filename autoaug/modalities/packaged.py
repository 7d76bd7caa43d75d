"""Modalities that are packages with one module for each part."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autoaug.modalities.base import (
    Annotations,
    Attack,
    Corruption,
    Fusion,
    Loader,
    Mixer,
    Modality,
    Pictures,
    Tables,
    Values,
)
from autoaug.modalities.generators import Generator
from autoaug.modalities.networks import Models
from autoaug.modalities.runtime import Runtime

if TYPE_CHECKING:
    from torch import Tensor


class PackagedModality(Modality):
    """A modality whose parts are in the package of its class, and are imported on first use.

    ``annotations``, ``loader``, ``mixing``, ``models``, ``pictures``, ``tables`` and ``values`` are modules with these
    names. The others are ``ATTACKS`` in ``attacks``, ``CORRUPTIONS`` and ``FEW`` in ``corruptions``, ``EXPORTS`` in
    ``exports``, ``FUSIONS`` in ``fusion``, ``GENERATORS`` in ``generators``, and the functions ``examples`` in
    ``examples``, and ``features``, ``copy_vectors`` and ``roughness`` in ``features``. What a package does not have is
    as in `Modality`.

    Attributes:
        operators: the modules whose import registers the operators.
    """

    operators: tuple[str, ...]

    def _part(self, name: str) -> Any:
        return _module(type(self).__module__.rpartition(".")[0], name)

    def register(self) -> None:
        for name in self.operators:
            self._part(name)

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        return self._part("fusion").FUSIONS

    @property
    def values(self) -> Values:
        return self._part("values")

    @property
    def loader(self) -> Loader:
        return self._part("loader")

    @property
    def models(self) -> Models:
        return self._part("models")

    @property
    def pictures(self) -> Pictures:
        return self._part("pictures")

    @property
    def mixing(self) -> Mixer | None:
        return self._part("mixing")

    @property
    def annotations(self) -> Annotations | None:
        return self._part("annotations")

    @property
    def tables(self) -> Tables | None:
        return self._part("tables")

    @property
    def attacks(self) -> Mapping[str, Attack]:
        return getattr(self._part("attacks"), "ATTACKS", {})

    @property
    def corruptions(self) -> Mapping[str, Corruption]:
        return getattr(self._part("corruptions"), "CORRUPTIONS", {})

    @property
    def few_corruptions(self) -> Sequence[str]:
        return getattr(self._part("corruptions"), "FEW", tuple(self.corruptions))

    @property
    def generators(self) -> Mapping[str, Generator]:
        return getattr(self._part("generators"), "GENERATORS", {})

    @property
    def exports(self) -> Mapping[str, Runtime]:
        return getattr(self._part("exports"), "EXPORTS", {})

    def examples(self) -> np.ndarray | None:
        return getattr(self._part("examples"), "examples", super().examples)()

    def features(self, values: Tensor) -> list[Tensor]:
        return getattr(self._part("features"), "features", super().features)(values)

    def copy_vectors(self, stored: np.ndarray) -> np.ndarray:
        return getattr(self._part("features"), "copy_vectors", super().copy_vectors)(stored)

    def roughness(self, stored: np.ndarray) -> np.ndarray:
        return getattr(self._part("features"), "roughness", super().roughness)(stored)


@cache
def _module(package: str, name: str) -> Any:
    """The module; None if the package does not have it."""
    place = f"{package}.{name}"
    return importlib.import_module(place) if importlib.util.find_spec(place) else None
