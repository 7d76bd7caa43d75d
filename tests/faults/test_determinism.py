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
def test_fresh_processes_write_the_same_bytes(data: Path, tmp_path: Path) -> None:
    """With another seed for Python's hashes in each; one run is killed in its search, and again in its confirmation."""
    options = ["--space", "light", "--strategy", "tpe", "--trials", "4", "--epochs", "1", "--seeds", "2"]
    options += ["--finalists", "1", "--workers", "1"]

    def session(seed: int, *words: str, kill_at: str = "") -> None:
        """A process that is killed when it prints a line with that beginning, if one is given."""
        command, hashes = [sys.executable, "-m", "autoaug", *words], {**os.environ, "PYTHONHASHSEED": str(seed)}
        process = subprocess.Popen(command, cwd=tmp_path, env=hashes, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if kill_at and line.startswith(kill_at):
                process.send_signal(signal.SIGKILL)
        assert process.wait(PATIENCE) == 0 or kill_at

    session(1, "search", str(data), *options, "--out", "whole")
    session(2, "search", str(data), *options, "--out", "killed", kill_at="trial 3")
    session(3, "resume", "killed", kill_at="training 2")
    session(4, "resume", "killed")
    assert trial_table(tmp_path / "killed") == trial_table(tmp_path / "whole")
    for file in ("policy.yaml", "policy_torchvision.py", "policy_kornia.py"):
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
