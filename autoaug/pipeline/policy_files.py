"""The files of a returned policy."""

from __future__ import annotations

from autoaug.exporters import export_modules
from autoaug.policy.models import Policy
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import write_atomically


def write_policy(folder: RunFolder, policy: Policy, modality: str) -> None:
    """Write a policy as code for each library, and as ``policy.yaml``."""
    for name, text in export_modules(policy, modality).items():
        write_atomically(folder.root / name, text)
    write_atomically(folder.policy, policy.to_yaml())
