"""The inputs that stored work depends on: recorded with it, and compared before it is reused."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoaug.errors import RunError
from autoaug.utils.files import write_atomically

#: Facts by name, as plain JSON values.
Facts = Mapping[str, Any]


def changes(noted: Facts, own: Facts) -> str:
    """Describe the differences between the facts that both have; empty if there are none. Facts that only one of two
    versions records are ignored.
    """
    shared = [name for name in noted if name in own]
    return "; ".join(
        f"{name.replace('_', ' ')} {brief(noted[name])}, not {brief(own[name])}"
        for name in shared
        if _differ(noted[name], own[name])
    )


def _differ(noted: Any, own: Any) -> bool:
    """Whether two values differ; of facts within a fact, too, those that only one has are ignored."""
    if isinstance(noted, dict) and isinstance(own, dict):
        return any(_differ(noted[name], own[name]) for name in noted.keys() & own.keys())
    return bool(noted != own)


def brief(value: Any) -> str:
    """A value in one line, shortened."""
    return textwrap.shorten(str(value), 120, placeholder=" …")


def record_facts(path: Path, own: Facts) -> None:
    """Record the facts in the file at `path`, next to the work that depends on them. Raises `RunError` if the file
    records different ones.
    """
    if path.is_file():
        try:
            noted = json.loads(path.read_bytes())
            differing = changes(noted, own)
        except (ValueError, TypeError):  # a damaged file counts as no record
            differing = ""
        if differing:
            raise RunError(
                f"the files in {path.parent} were made with {differing}; undo the change, or begin a new run"
            )
    write_atomically(path, json.dumps(own, indent=1))
