"""The provenance of a number: the command with all its options and seeds, the commit, the versions, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoaug.pipeline.parsing import versions


def provenance(options: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a benchmark run with `options` (including seeds), as plain JSON values."""
    return {
        "command": " ".join([f"scripts/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "options": {name: str(value) if isinstance(value, Path) else value for name, value in options.items()},
        "commit": commit(),
        "versions": versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
    }


def commit() -> str:
    """The commit of this checkout, with a ``+`` if files differ from it; ``unknown`` outside a repository."""
    described = ["git", "describe", "--always", "--abbrev=7", "--dirty=+", "--exclude=*"]
    answer = subprocess.run(described, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "unknown"
