"""One target a line: a policy as the source text of a module that runs without autoaug."""

from __future__ import annotations

from autoaug.errors import PolicyError, UnknownName
from autoaug.exporters.module import Target, module_text
from autoaug.exporters.runtime import kornia, torchvision
from autoaug.policy import Policy

EXPORTERS: dict[str, Target] = {
    "torchvision": Target("torchvision", "with torchvision.transforms.v2", torchvision, per_image=True),
    "kornia": Target("kornia", "batched, on any device, with Kornia", kornia, per_image=False),
}


def export_policy(policy: Policy, target: str) -> str:
    """The policy as the text of a Python module for `target`; its ``Augment(seed)`` draws the same augmentations as
    ``policy.transform(seed)``.

    Raises:
        UnknownName: there is no such target, or the policy uses an operator that is not registered.
        PolicyError: the target cannot express an operator.
    """
    if target not in EXPORTERS:
        raise UnknownName("export target", target, EXPORTERS)
    return module_text(policy, EXPORTERS[target])


__all__ = ["EXPORTERS", "PolicyError", "Target", "export_policy"]
