"""Export of the policy itself, as YAML or JSON."""

from __future__ import annotations

import json

from autoaug.exporters.base import Target
from autoaug.modalities.base import Modality
from autoaug.policy.models import FORMAT, Policy


class Yaml(Target):
    """YAML that `load_policy` reads."""

    name = "yaml"
    summary = "as YAML"
    suffix = "yaml"

    def text(self, policy: Policy, modality: Modality, approximate: bool = False, note: str = "") -> str:  # noqa: ARG002 (it says all)
        return policy.to_yaml()


class Json(Target):
    """JSON that `load_policy` reads."""

    name = "json"
    summary = "as JSON"
    suffix = "json"

    def text(self, policy: Policy, modality: Modality, approximate: bool = False, note: str = "") -> str:  # noqa: ARG002 (likewise)
        return json.dumps(policy.model_dump(mode="json", exclude_defaults=True) | {"format": FORMAT}, indent=2) + "\n"
