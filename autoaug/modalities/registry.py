"""The registry of modalities."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import entry_points

from autoaug.errors import UnknownName
from autoaug.modalities.base import Modality

#: Modalities that come with autoaug; third parties register theirs as entry points of the group ``autoaug.modalities``.
_BUILTIN = (
    "autoaug.modalities.image:MODALITY",
    "autoaug.modalities.audio:MODALITY",
    "autoaug.modalities.video:MODALITY",
    "autoaug.modalities.text:MODALITY",
    "autoaug.modalities.translation:MODALITY",
)


@cache
def all_modalities() -> dict[str, Modality]:
    """All modalities by name, including those of third parties."""
    modalities: list[Modality] = []
    for place in _BUILTIN:
        module, _, name = place.partition(":")
        modalities.append(getattr(importlib.import_module(module), name))
    modalities += [entry.load() for entry in entry_points(group="autoaug.modalities")]
    return {modality.name: modality for modality in modalities}


def get_modality(name: str | None = None) -> Modality:
    """The modality with that name, or the first one; raises `UnknownName`, suggesting the nearest one."""
    modalities = all_modalities()
    if name is None:
        return next(iter(modalities.values()))
    if name not in modalities:
        raise UnknownName("modality", name, modalities)
    return modalities[name]
