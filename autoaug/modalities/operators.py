"""The operator record and its registry.

An operator is a registered kind of transform. Its function is pure and batched, and takes values in the operator's own
unit. The engine converts magnitudes to values (``value = magnitude * limit``), so that this mapping is defined in only
one place: the record.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from autoaug.errors import PolicyError, UnknownName
from autoaug.modalities.base import Modality
from autoaug.modalities.registry import all_modalities, get_modality

if TYPE_CHECKING:
    from torch import Tensor

    from autoaug.data.inputs import Inputs

#: Learns from all training samples what an operator has to know of them, as text; empty if they tell nothing.
Learns = Callable[["Inputs"], str]
#: Makes what an operator needs of each of some samples.
Prepares = Callable[["Inputs"], None]

#: The name of the operator that does nothing, in policies of every modality.
IDENTITY = "Identity"

#: The number of uniform numbers in [0, 1) that a plan has for each sample and step, for positions, offsets and seeds.
UNIFORMS = 4


@dataclass(frozen=True)
class Operator:
    """A registered kind of transform.

    Attributes:
        name: the name in policies and spaces, e.g. ``"ShearX"``.
        modality: the name of the modality whose samples it takes.
        family: operators of one family are listed together.
        kind: the name of one of the modality's fusions, which defines what the function takes and returns.
        signed: whether values of both signs are drawn, with equal probability.
        limit: the value at magnitude 1; at magnitude 0 the operator is the identity.
        unit: the unit of the value.
        jumps: whether its output changes by jumps where the value moves, so that no local slope tells how. Its gradient
            in the magnitude is then a difference, which the engine takes; the function need not have one.
        summary: the first line of the function's docstring.
        function: see ``kind``; pure, takes values in the operator's own unit.
        learns: is called with all training samples before a run uses the operator, and may take long. The function gets
            the text as its argument ``learned``. None if there is nothing to learn.
        prepares: is called with all samples that trainings augment before a run uses the operator, and may take long.
            None if it needs nothing of them.
    """

    name: str
    modality: str
    family: str
    kind: str
    signed: bool
    limit: float
    unit: str
    jumps: bool
    summary: str
    function: Callable[..., Tensor]
    learns: Learns | None = None
    prepares: Prepares | None = None

    @property
    def is_switch(self) -> bool:
        """Whether it is either on (magnitude at least 0.5) or off."""
        return self.unit == "switch"


_registry: dict[str, Operator] = {}


def operator(
    name: str,
    *,
    modality: str,
    family: str,
    unit: str,
    limit: float = 1.0,
    signed: bool = False,
    kind: str = "samples",
    jumps: bool = False,
) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Register the decorated function as an operator; see `Operator` for the fields and what it must compute."""

    def register(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        if name in _registry:
            raise ValueError(f"operator {name!r} is registered twice")
        summary = next(iter((inspect.getdoc(function) or "").splitlines()), "")
        before = {what: getattr(function, what, None) for what in ("learns", "prepares")}
        own = Operator(name, modality, family, kind, signed, limit, unit, jumps, summary, function, **before)
        _registry[name] = own
        return function

    return register


def learning(learns: Learns) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Let an operator with the decorated function learn from the training samples; see `Operator.learns`. It goes below
    ``@operator``, which reads it; raises `ValueError` above it.
    """
    return _marking("learning", "learns", learns)


def preparing(prepares: Prepares) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Let an operator with the decorated function prepare the samples of a run; see `Operator.prepares`. It goes below
    ``@operator``, as `learning` does.
    """
    return _marking("preparing", "prepares", prepares)


def _marking(decorator: str, what: str, before: object) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    def mark(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        if any(known.function is function for known in _registry.values()):
            raise ValueError(
                f"{function.__name__} is registered without what it {what}; put @{decorator} below @operator"
            )
        setattr(function, what, before)
        return function

    return mark


def learned_from(samples: Inputs, operators: Iterable[str]) -> dict[str, str]:
    """What those of the operators that learn have learned from all training samples, by their names."""
    return {operator.name: operator.learns(samples) for operator in _of(operators) if operator.learns is not None}


def learned_nothing(learned: Mapping[str, str]) -> dict[str, str]:
    """Those that have learned nothing, each with the reason."""
    why = "the training samples have nothing that it could learn"
    return {name: why for name, text in learned.items() if not text}


def prepare(samples: Sequence[Inputs], operators: Iterable[str]) -> None:
    """Make what those of the operators that need it need of samples, so that it is there in a run."""
    for operator in _of(operators):
        if operator.prepares is not None:
            for some in samples:
                operator.prepares(some)


def _of(names: Iterable[str]) -> list[Operator]:
    return [get_operator(name) for name in dict.fromkeys(names) if name != IDENTITY]


def registered(modality: str) -> list[Operator]:
    """The operators of that modality that are registered so far; for a modality that takes over those of another."""
    return [operator for operator in _registry.values() if operator.modality == modality]


@cache
def _discover() -> None:
    for modality in all_modalities().values():
        modality.register()
    for operator in _registry.values():
        kinds = get_modality(operator.modality).fusions
        if operator.kind not in kinds:
            raise ValueError(f"operator {operator.name!r} has kind {operator.kind!r}, not one of {', '.join(kinds)}")


def all_operators() -> dict[str, Operator]:
    """All registered operators by name, including those of third parties."""
    _discover()
    return dict(_registry)


def get_operator(name: str) -> Operator:
    """The operator with that name; raises `UnknownName`, suggesting the nearest one."""
    _discover()
    if name not in _registry:
        raise UnknownName("operator", name, _registry)
    return _registry[name]


def modality_of(operators: Iterable[str], given: str | None = None) -> Modality:
    """The common modality of the operators of a policy, or `given`; if neither determines it, the first registered one.

    Raises:
        UnknownName: an operator or the modality is not registered.
        PolicyError: the operators belong to several modalities, or to another one than `given`.
    """
    places = {get_operator(name).modality: name for name in operators if name != IDENTITY}
    if given is not None:
        get_modality(given)
        places = {given: "the samples", **places}
    if len(places) > 1:
        (one, first), (other, second), *_ = places.items()
        what = f"{first if given else repr(first)} {'have' if given else 'has'} modality {one}"
        raise PolicyError(f"{what}, but {second!r} has {other}; all operators of a policy must have one modality")
    return get_modality(next(iter(places), None))
