"""Export a policy as text that works without autoaug, for one of several targets."""

from __future__ import annotations

import contextlib

from autoaug.errors import OptionError, PolicyError, UnknownName
from autoaug.exporters.array_module import ArrayTarget
from autoaug.exporters.base import Target
from autoaug.exporters.idiomatic import NotIdiomatic, idiomatic_text, words_of
from autoaug.exporters.module import TorchTarget
from autoaug.exporters.text import Json, Yaml
from autoaug.exporters.timm import Timm
from autoaug.policy.loading import modality_of_policy
from autoaug.policy.models import Policy

_TARGETS: tuple[Target, ...] = (
    TorchTarget("torchvision", "with torchvision.transforms.v2"),
    TorchTarget("kornia", "batched, on any device, with Kornia"),
    TorchTarget("torch", "with PyTorch alone", is_bare=True),
    ArrayTarget("numpy", "with only NumPy, and Pillow where it helps", is_bare=True),
    ArrayTarget("python", "with Python alone"),
    ArrayTarget("albumentations", "as an albumentations transform"),
    ArrayTarget("audiomentations", "as an audiomentations transform"),
    ArrayTarget("nlpaug", "as an nlpaug augmenter"),
    ArrayTarget("keras", "as a Keras 3 preprocessing layer, on any backend", functions="ops"),
    Timm(),
    Yaml(),
    Json(),
)
EXPORTERS: dict[str, Target] = {target.name: target for target in _TARGETS}


def export_policy(
    policy: Policy, target: str, approximate: bool = False, modality: str | None = None, exact: bool = False
) -> str:
    """The policy as text for `target`.

    The first choice is code as users of the target's library write it, which draws from the same distribution. An exact
    module instead applies plans as autoaug does: in one for torchvision or Kornia, ``Augment(seed)`` draws the same
    augmentations as ``policy.transform(seed)``.

    Args:
        policy: the policy to export.
        target: one of `EXPORTERS`.
        approximate: whether to leave out or approximate what the target cannot express; the first lines of the text
            then say so.
        modality: the modality of the samples; needed only if the operators do not determine it and it is not the first
            registered one.
        exact: whether to export the exact module. Policies for which a library has no words are exported as that
            anyway; the first lines of the text then give the reason.

    Raises:
        UnknownName: the target, the modality or an operator of the policy is not registered.
        OptionError: `exact`, but the target is not code.
        PolicyError: the target cannot express some part of the policy, which the message names, or its modality.
    """
    if target not in EXPORTERS:
        raise UnknownName("export target", target, EXPORTERS)
    to = EXPORTERS[target]
    if exact and to.suffix != "py":
        raise OptionError(f"--exact is for code, and {target} writes none; leave it out")
    of = modality_of_policy(policy, modality)
    words = None if exact else words_of(of, target)
    note = ""
    if words is not None:
        try:
            return idiomatic_text(policy, to, words, of, approximate)
        except NotIdiomatic as reason:
            note = f"As an exact module, since {reason}."
    return to.text(policy, of, approximate, note)


def is_idiomatic(policy: Policy, target: str) -> bool:
    """Whether `export_policy` writes the policy as users of the target's library would, rather than exactly."""
    of = modality_of_policy(policy)
    words = words_of(of, target)
    try:
        return words is not None and bool(idiomatic_text(policy, EXPORTERS[target], words, of))
    except NotIdiomatic:
        return False


def export_modules(policy: Policy, modality: str | None = None) -> dict[str, str]:
    """The policy as a Python module for every target that can express it exactly, by file name."""
    modules = {}
    for target in EXPORTERS.values():
        if target.suffix == "py":
            with contextlib.suppress(PolicyError):
                modules[target.filename] = export_policy(policy, target.name, modality=modality)
    return modules


__all__ = ["EXPORTERS", "export_modules", "export_policy", "is_idiomatic"]
