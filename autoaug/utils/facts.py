"""What work that is kept depends on: noted with it, and compared before it is used again."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoaug.errors import RunError
from autoaug.utils.files import write_whole
from autoaug.utils.renamed import with_names

#: Facts by name, as plain JSON values.
Facts = Mapping[str, Any]


def changes(noted: Facts, own: Facts) -> str:
    """Which facts that stand in both differ, in words; empty where none does. What an older version did not note, or a
    newer one no longer knows, is no difference.
    """
    noted = _in_present_words(noted)
    shared = [name for name in noted if name in own]
    return "; ".join(
        f"{name.replace('_', ' ')} {brief(noted[name])}, not {brief(own[name])}"
        for name in shared
        if noted[name] != own[name]
    )


def _in_present_words(noted: Facts) -> dict[str, Any]:
    """The same facts; those that an older version noted, in the words of this one."""
    facts = with_names(dict(noted), {"rule": "accept", "image_size": "size"})
    if facts.get("batch_counts") == "images":
        facts["batch_counts"] = "inputs"
    return {name: _in_present_words(value) if isinstance(value, dict) else value for name, value in facts.items()}


def brief(value: Any) -> str:
    """A value in one line, shortened."""
    return textwrap.shorten(str(value), 120, placeholder=" …")


def keep_to(path: Path, own: Facts) -> None:
    """Note the facts in the file at `path`, which stands beside what depends on them; raises `RunError` where others
    were noted there.
    """
    if path.is_file():
        try:
            noted = json.loads(path.read_bytes())
            differing = changes(noted, own)
        except (ValueError, TypeError):  # damaged: as with work of older versions, nothing is known
            differing = ""
        if differing:
            raise RunError(
                f"what is kept in {path.parent} was made with {differing}; restore what was changed, or begin a new run"
            )
    write_whole(path, json.dumps(own, indent=1))
