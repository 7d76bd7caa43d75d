"""One target a line: a policy as text that works without autoaug."""

from __future__ import annotations

import contextlib

from autoaug.errors import PolicyError, UnknownName
from autoaug.exporters.array_module import ArrayTarget
from autoaug.exporters.base import Target
from autoaug.exporters.module import TorchTarget
from autoaug.exporters.text import Json, Yaml
from autoaug.exporters.timm import Timm
from autoaug.modalities.operators import modality_of
from autoaug.policy.models import Policy

_TARGETS: tuple[Target, ...] = (
    TorchTarget("torchvision", "with torchvision.transforms.v2"),
    TorchTarget("kornia", "batched, on any device, with Kornia"),
    ArrayTarget("numpy", "with NumPy and Pillow alone"),
    ArrayTarget("albumentations", "as a transform of albumentations"),
    ArrayTarget("keras", "as a preprocessing layer of Keras 3, on any of its backends", words="ops"),
    Timm(),
    Yaml(),
    Json(),
)
EXPORTERS: dict[str, Target] = {target.name: target for target in _TARGETS}


def export_policy(policy: Policy, target: str, approximate: bool = False, modality: str | None = None) -> str:
    """The policy as text for `target`. In a module for torchvision or Kornia, ``Augment(seed)`` draws the same
    augmentations as ``policy.transform(seed)``; the others draw from the same distribution by generators of their own.

    Args:
        policy: to be exported.
        target: one of `EXPORTERS`.
        approximate: whether what the target cannot express may be left out, or put in its own words; the text then says
            so in its first lines.
        modality: of the samples, where the policy's operators do not tell and it is not the first one.

    Raises:
        UnknownName: there is no such target or modality, or the policy uses an operator that is not registered.
        PolicyError: the target cannot express something, which it names, or anything of the policy's modality.
    """
    if target not in EXPORTERS:
        raise UnknownName("export target", target, EXPORTERS)
    return EXPORTERS[target].text(policy, modality_of(policy.operator_names(), modality), approximate)


def export_modules(policy: Policy, modality: str | None = None) -> dict[str, str]:
    """The policy as a module for every target that has words for all of it, by the file's name."""
    found = {}
    for target in EXPORTERS.values():
        if target.suffix == "py":
            with contextlib.suppress(PolicyError):
                found[target.filename] = export_policy(policy, target.name, modality=modality)
    return found


__all__ = ["EXPORTERS", "PolicyError", "Target", "export_modules", "export_policy"]
