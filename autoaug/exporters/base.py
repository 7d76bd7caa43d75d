"""The interface of export targets, and the handling of what a target cannot express."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import TypeVar

from autoaug.errors import PolicyError
from autoaug.modalities.base import Modality
from autoaug.modalities.operators import IDENTITY
from autoaug.modalities.runtime import Runtime, TorchRuntime
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy
from autoaug.version import __version__

OfTarget = TypeVar("OfTarget", bound=Runtime)


class Target(ABC):
    """A format to export to.

    Attributes:
        name: the name in options.
        summary: describes the text, in its first line.
        is_bare: whether that line names the packages that the text imports instead, since it is for no other library.
        suffix: the file suffix.
        lacks: the fields of a policy that it cannot express: ``mixing``, ``chains``, ``schedule``.
    """

    name: str
    summary: str
    suffix: str = "py"
    is_bare: bool = False
    lacks: Collection[str] = ()

    @abstractmethod
    def text(self, policy: Policy, modality: Modality, approximate: bool = False, note: str = "") -> str:
        """The policy as text, with a line of comment. Raises `PolicyError`, naming what the target cannot express,
        unless it may `approximate` it.
        """

    def supports(self, operator: str) -> bool:  # noqa: ARG002 (most targets support all operators)
        """Whether the target expresses this operator exactly."""
        return True

    @property
    def filename(self) -> str:
        """The file name in a run folder."""
        return f"policy_{self.name}.{self.suffix}"


def runtime_of(target: Target, modality: Modality, kind: type[OfTarget]) -> OfTarget:
    """The modality's runtime for the target; raises `PolicyError` if there is none."""
    given = modality.exports.get(target.name)
    if given is None:
        known = ", ".join([*modality.exports, "yaml"])
        raise PolicyError(f"{target.name} cannot express policies for {modality.name}; export to {known} or json")
    if not isinstance(given, kind):
        raise TypeError(f"modality {modality.name} gives {target.name} a {type(given).__name__}, not a {kind.__name__}")
    return given


def elsewhere(modality: Modality) -> str:
    """Tells the user which targets express all of this modality's policies."""
    modules = [name for name, runtime in modality.exports.items() if isinstance(runtime, TorchRuntime)]
    return f"export to {' or '.join(modules or ['yaml', 'json'])}"


def expressible(policy: Policy, target: Target, modality: Modality, approximate: bool) -> tuple[Policy, list[str]]:
    """The part of a policy that `target` can express, and a line of text for each part left out. Raises `PolicyError`
    if something would be left out and it may not `approximate`.

    Args:
        policy: the policy to export.
        target: the target, which tells what it supports.
        modality: the modality of the samples.
        approximate: whether to leave out what it does not support.
    """
    missing = [name for name in policy.operator_names() if not target.supports(name)]
    parts = [part for part in target.lacks if getattr(policy, part)]
    if not missing and not parts:
        return policy, []
    what = ", ".join([*missing, *parts])
    if not approximate or "chains" in parts or "schedule" in parts:
        cure = elsewhere(modality) + (
            "" if "chains" in parts or "schedule" in parts else ", or leave it out with --approximate"
        )
        raise PolicyError(f"{target.name} cannot express {what} of policy {policy.name!r}; {cure}")
    notes = [f"APPROXIMATION: {name} is left out; nothing replaces it." for name in missing]
    return _without(policy, missing).model_copy(update=dict.fromkeys(parts)), [*notes, *map(left_out, parts)]


def left_out(part: str) -> str:
    """The line that tells that a field of a policy is left out."""
    return f"APPROXIMATION: {part} is left out; the training loop has to provide it."


def _without(policy: Policy, missing: Collection[str]) -> Policy:
    def kept(operation: Operation) -> Operation:
        return Operation(operator=IDENTITY) if operation.operator in missing else operation

    def layers(given: tuple[Layer, ...]) -> tuple[Layer, ...]:
        return tuple(
            Layer(
                sub_policies=tuple(
                    SubPolicy(operations=tuple(map(kept, b.operations)), weight=b.weight) for b in layer.sub_policies
                )
            )
            for layer in given
        )

    phases = tuple(phase.model_copy(update={"layers": layers(phase.layers)}) for phase in policy.schedule)
    return policy.model_copy(update={"layers": layers(policy.layers), "schedule": phases})


#: Packages that are not written as they are imported.
_WRITTEN = {"PIL": "Pillow", "numpy": "NumPy", "torch": "PyTorch"}


def header(policy: Policy, target: Target, use: str, notes: Sequence[str], imports: str = "") -> str:
    """The comment at the top: what the text is, how to use it, `notes`, and what it leaves to the training loop.
    `imports` are the import statements of the text.
    """
    roots = {line.split()[1].partition(".")[0] for line in imports.splitlines() if line}
    packages = sorted(_WRITTEN.get(root, root) for root in roots - sys.stdlib_module_names)
    summary = f"with only {' and '.join(packages)}" if target.is_bare and packages else target.summary
    lines = [
        f"# Augmentation policy {policy.name!r} ({policy.fingerprint()}), {summary}.",
        f"# Exported by autoaug {__version__}; runs without it: {use}",
    ]
    asked = {
        f"{policy.copies} copies of each sample in a batch": policy.copies > 1,
        f"adversarial samples: {policy.adversarial!r}": policy.adversarial is not None,
        f"synthetic samples: {policy.synthetic!r}": policy.synthetic is not None,
        f"regularization: {policy.regularization!r}": policy.regularization is not None,
    }
    also = [
        f"The policy also requires {what}, which the training loop has to provide." for what in asked if asked[what]
    ]
    return "\n".join([*lines, *(f"# {line}" for line in [*filter(None, notes), *also])])
