"""One session of a run, for processes that are killed; all that it needs is loaded before it begins."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import autoaug
import tests.conftest  # the settings of all tests
from autoaug.report import write_report
from autoaug.search.executors import load_executor

for _name in ("pipeline.run", "pipeline.outcome", "pipeline.configure", "search.strategies.auto"):
    importlib.import_module(f"autoaug.{_name}")
assert write_report
assert tests.conftest
load_executor("ray-tune")


def drive(out: Path, data: Path, options: dict[str, Any], scratch: Path) -> None:
    """Begin the run in `out`, or go on with it."""
    tempfile.tempdir = str(scratch)
    if (out / "config.yaml").is_file():
        autoaug.resume(out, trust=True, progress=False)
    else:
        autoaug.search(data, out=out, progress=False, **options)
