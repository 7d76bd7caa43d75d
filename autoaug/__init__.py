"""autoaug: automated augmentation-policy search that proves what it found.

The public names are imported on first use, so that ``import autoaug`` does not load torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoaug.version import __version__

if TYPE_CHECKING:
    from autoaug.api import compare, resume, search
    from autoaug.errors import AutoaugError
    from autoaug.exporters import export_policy
    from autoaug.objective import ObjectiveResult
    from autoaug.policy import Policy
    from autoaug.result import SearchResult
    from autoaug.transform import Plan, PolicyTransform, apply_plan, draw_plan, load_policy

_HOMES = {
    "AutoaugError": "autoaug.errors",
    "ObjectiveResult": "autoaug.objective",
    "Plan": "autoaug.transform",
    "Policy": "autoaug.policy",
    "PolicyTransform": "autoaug.transform",
    "SearchResult": "autoaug.result",
    "apply_plan": "autoaug.transform",
    "compare": "autoaug.api",
    "draw_plan": "autoaug.transform",
    "export_policy": "autoaug.exporters",
    "load_policy": "autoaug.transform",
    "resume": "autoaug.api",
    "search": "autoaug.api",
}

__all__ = [  # noqa: RUF022 (the version stands last)
    "AutoaugError",
    "ObjectiveResult",
    "Plan",
    "Policy",
    "PolicyTransform",
    "SearchResult",
    "apply_plan",
    "compare",
    "draw_plan",
    "export_policy",
    "load_policy",
    "resume",
    "search",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autoaug' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
