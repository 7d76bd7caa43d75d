"""Which modalities there are."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points

from autoaug.errors import UnknownName
from autoaug.modalities.base import Modality

#: Those that come with autoaug; third parties name theirs as entry points of the group ``autoaug.modalities``.
_BUILTIN = ("autoaug.modalities.image:MODALITY",)


@cache
def all_modalities() -> dict[str, Modality]:
    """Every modality by name, those of third parties included."""
    found: list[Modality] = []
    for place in _BUILTIN:
        module, _, name = place.partition(":")
        found.append(getattr(importlib.import_module(module), name))
    found += [entry.load() for entry in entry_points(group="autoaug.modalities")]
    return {modality.name: modality for modality in found}


def get_modality(name: str | None = None) -> Modality:
    """The modality of that name, or the first; raises `UnknownName` with the nearest one."""
    modalities = all_modalities()
    if name is None:
        return next(iter(modalities.values()))
    if name not in modalities:
        raise UnknownName("modality", name, modalities)
    return modalities[name]
