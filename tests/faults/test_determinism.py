"""The same seed, one worker and a CPU: the same bytes."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import autoaug
from autoaug.results import SearchResult
from tests.conftest import PATIENCE
from tests.faults.life import SEARCH, Stopping

#: What tells the time, and so differs.
_TIMES = {"started", "ended", "seconds", "augmentation_seconds"}
_TRIALS = "SELECT number, state, key, value_json FROM trials LEFT JOIN trial_user_attributes USING (trial_id)"
_PARAMS = "SELECT number, param_name, param_value, distribution_json FROM trial_params JOIN trials USING (trial_id)"
_VALUES = "SELECT number, objective, value FROM trial_values JOIN trials USING (trial_id)"
_RUNGS = "SELECT number, step, intermediate_value FROM trial_intermediate_values JOIN trials USING (trial_id)"


def trial_table(run: Path) -> bytes:
    """All that the study holds of its trials, but for times and which session ran them."""
    with sqlite3.connect(run / "study.db") as database:
        rows = [row for query in (_TRIALS, _PARAMS, _VALUES, _RUNGS) for row in database.execute(query)]
    return "\n".join(sorted(str(timeless(row)) for row in rows)).encode()


def timeless(row: tuple[Any, ...]) -> list[Any]:
    noted = [json.loads(cell) if isinstance(cell, str) and cell.startswith("{") else cell for cell in row]
    left_out = _TIMES | {"session"}
    return [{k: v for k, v in c.items() if k not in left_out} if isinstance(c, Mapping) else c for c in noted]


@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("determinism", "the same bytes after an interruption")
def test_an_interrupted_run_has_the_same_bytes(whole: SearchResult, data: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        autoaug.search(data, out=tmp_path / "run", progress=Stopping(trial=2), **SEARCH)
    autoaug.resume(tmp_path / "run", trust=True)
    assert trial_table(tmp_path / "run") == trial_table(whole.run_dir)
    assert len(trial_table(whole.run_dir)) > 1000
    for name in ("policy.yaml", "policy_torchvision.py"):
        assert (tmp_path / "run" / name).read_bytes() == (whole.run_dir / name).read_bytes()


@pytest.mark.slow
@pytest.mark.fault("determinism", "the same bytes in three fresh processes, one of them killed")
def test_three_fresh_processes_write_the_same_bytes(data: Path, tmp_path: Path) -> None:
    """With another seed for Python's hashes in each."""
    program = [sys.executable, "-m", "autoaug"]
    options = ["--space", "light", "--strategy", "tpe", "--trials", "4", "--epochs", "1", "--seeds", "2"]
    options += ["--finalists", "1", "--workers", "1"]

    def run(name: str, seed: int, kill_at: str = "") -> None:
        words = [*program, "search", str(data), *options, "--out", name]
        hashes = {**os.environ, "PYTHONHASHSEED": str(seed)}
        process = subprocess.Popen(words, cwd=tmp_path, env=hashes, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if kill_at and line.startswith(kill_at):
                process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        if kill_at:
            words = [*program, "resume", name]
            subprocess.run(words, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    run("first", 1)
    run("second", 2)
    run("killed", 3, kill_at="trial 3")
    for name in ("second", "killed"):
        assert trial_table(tmp_path / name) == trial_table(tmp_path / "first")
        for file in ("policy.yaml", "policy_torchvision.py", "policy_kornia.py"):
            assert (tmp_path / name / file).read_bytes() == (tmp_path / "first" / file).read_bytes(), name
