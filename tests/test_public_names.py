"""Names that users rely on."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import autoaug
from tests.conftest import HEAVY


def test_exported_names() -> None:
    assert set(autoaug.__all__) == {
        "AutoaugError",
        "ConsoleProgress",
        "ObjectiveResult",
        "Plan",
        "Policy",
        "PolicyTransform",
        "RelaxedPolicy",
        "SearchOptions",
        "SearchResult",
        "__version__",
        "apply_plan",
        "compare",
        "draw_plan",
        "export_policy",
        "load_policy",
        "operator",
        "resume",
        "search",
    }


@pytest.mark.parametrize("name", [name for name in autoaug.__all__ if not name.startswith("_")])
def test_every_name_exists_and_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(autoaug, name))


def test_importing_autoaug_loads_nothing_heavy() -> None:
    code = f"import sys, autoaug, autoaug.api; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="serch"):
        autoaug.serch  # noqa: B018


def test_no_module_stands_in_the_way_of_a_public_name() -> None:
    """Importing a module binds its name in the package, so none may be called as a public function is."""
    for module in pkgutil.iter_modules(autoaug.__path__):
        if module.name != "__main__":
            importlib.import_module(f"autoaug.{module.name}")
    assert "autoaug.search" in sys.modules
    assert not [name for name in autoaug.__all__ if isinstance(getattr(autoaug, name), ModuleType)]
