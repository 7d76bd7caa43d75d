"""What a modality has of all that a policy names beside operators: mixing, attacks and generators, by their kinds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from autoaug.errors import PolicyError
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY, modality_of
from autoaug.modalities.registry import all_modalities

#: What a policy or a space asks for: kinds by what they are of, one of the keys of `known_kinds`.
Kinds = Mapping[str, Iterable[str]]

#: The kind of mixing that stands for two others, evenly.
_EITHER = {"mixup-or-cutmix": ("mixup", "cutmix")}
#: What blends samples: only continuous ones can be.
BLENDED = "chains"
#: The attack that needs differentiable operators alone, so that every continuous modality has it.
_MAGNITUDES = "magnitudes"


def mixed_by(kind: str) -> tuple[str, ...]:
    """The kinds of a mixer that a policy's kind of mixing stands for: one, or two."""
    return _EITHER.get(kind, (kind,))


def known_kinds(modality: Modality) -> dict[str, tuple[str, ...]]:
    """The kinds that policies for that modality may name."""
    kinds = () if modality.mixing is None else tuple(modality.mixing.kinds)
    either = tuple(kind for kind, both in _EITHER.items() if set(both) <= set(kinds))
    return {
        "mixing": (*kinds, *either),
        "attack": (*modality.attacks, *([_MAGNITUDES] if modality.is_continuous else [])),
        "blending": (BLENDED,) if modality.is_continuous else (),
        "generator": tuple(modality.generators),
    }


def fitting_modality(operators: Iterable[str], kinds: Kinds, modality: str | None = None) -> Modality:
    """The modality that has all of the operators and kinds: the one that is named, that of the operators, or without
    either the first one that has all kinds.

    Raises:
        UnknownName: there is no such operator or modality.
        PolicyError: operators are of several modalities, or of another, or a kind is none of the modality's.
    """
    names = [name for name in operators if name != IDENTITY]
    told = modality_of(names, modality)
    faults: dict[str, str] = {}
    for candidate in [told] if names or modality else [told, *all_modalities().values()]:
        fault = _fault(candidate, kinds)
        if fault is None:
            return candidate
        faults[candidate.name] = fault
    raise PolicyError(faults[told.name])


def _fault(modality: Modality, kinds: Kinds) -> str | None:
    """What the modality lacks, if anything."""
    known = known_kinds(modality)
    for what, wanted in kinds.items():
        for kind in wanted:
            if kind not in known[what]:
                has = ", ".join(known[what]) or "none"
                return f"there is no {what} {kind!r} for samples of the modality {modality.name!r}; it has: {has}"
    return None


def in_embedding(kinds: Kinds, modality: Modality) -> list[str]:
    """Those of the kinds that change the vectors of a network's embedding; see `Modality.in_embedding`."""
    named = (one for kind in itertools.chain.from_iterable(kinds.values()) for one in mixed_by(kind))
    return [kind for kind in named if kind in modality.in_embedding]
