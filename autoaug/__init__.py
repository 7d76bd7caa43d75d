"""autoaug: automated augmentation-policy search that proves what it found.

The public names are imported on first use, so that ``import autoaug`` does not load torch.
"""

from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autoaug.version import __version__

if TYPE_CHECKING:
    from autoaug.api import compare, resume, search
    from autoaug.engine.apply import apply_plan
    from autoaug.engine.plan import Plan, draw_plan
    from autoaug.engine.relaxation import RelaxedPolicy
    from autoaug.engine.transform import PolicyTransform
    from autoaug.errors import AutoaugError
    from autoaug.exporters import export_policy
    from autoaug.modalities.operators import operator
    from autoaug.pipeline.options import SearchOptions
    from autoaug.policy.loading import load_policy
    from autoaug.policy.models import Policy
    from autoaug.results import ObjectiveResult, SearchResult
    from autoaug.runs.callbacks.console import ConsoleProgress

_HOMES = {
    "AutoaugError": "autoaug.errors",
    "ConsoleProgress": "autoaug.runs.callbacks.console",
    "ObjectiveResult": "autoaug.results",
    "Plan": "autoaug.engine.plan",
    "Policy": "autoaug.policy.models",
    "PolicyTransform": "autoaug.engine.transform",
    "RelaxedPolicy": "autoaug.engine.relaxation",
    "SearchOptions": "autoaug.pipeline.options",
    "SearchResult": "autoaug.results",
    "apply_plan": "autoaug.engine.apply",
    "compare": "autoaug.api",
    "draw_plan": "autoaug.engine.plan",
    "export_policy": "autoaug.exporters",
    "load_policy": "autoaug.policy.loading",
    "operator": "autoaug.modalities.operators",
    "resume": "autoaug.api",
    "search": "autoaug.api",
}

__all__ = [  # noqa: RUF022 (the version stands last)
    "AutoaugError",
    "ConsoleProgress",
    "ObjectiveResult",
    "Plan",
    "Policy",
    "PolicyTransform",
    "RelaxedPolicy",
    "SearchOptions",
    "SearchResult",
    "apply_plan",
    "compare",
    "draw_plan",
    "export_policy",
    "load_policy",
    "operator",
    "resume",
    "search",
    "__version__",
]


logging.getLogger("autoaug").addHandler(logging.NullHandler())  # programs that want its messages add their own handler


class _Package(ModuleType):
    """This package, in which ``autoaug.search`` stays the function even if the subpackage of that name is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autoaug' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
