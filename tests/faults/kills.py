"""A search that is killed -9 again and again, each session in a process of its own."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from autoaug.runs.folder import RunFolder
from tests.conftest import PATIENCE

#: New processes are forks of one that has loaded everything, so that their first moments are worth killing.
_FRESH = multiprocessing.get_context("forkserver")
_FRESH.set_forkserver_preload(["tests.faults.drive"])


def session(out: Path, data: Path, options: Mapping[str, Any], scratch: Path) -> Any:
    """A process that begins the run, or goes on with it; temporary files go to `scratch`."""
    from tests.faults.drive import drive

    process = _FRESH.Process(target=drive, args=(out, data, dict(options), scratch))
    process.start()
    return process


def measured(out: Path, data: Path, options: Mapping[str, Any], scratch: Path) -> float:
    """Seconds that a session takes that nothing ends, in a process that has everything loaded, as all later ones."""
    first = _FRESH.Process(target=int)
    first.start()
    first.join()
    begun = time.monotonic()
    session(out, data, options, scratch).join()
    return time.monotonic() - begun


def ended_trials(run: RunFolder) -> dict[int, tuple[object, ...]]:
    """What the study says of trials that have ended, by number."""
    if not run.study.is_file():
        return {}
    query = (
        "SELECT number, state, datetime_complete, value FROM trials LEFT JOIN trial_values USING (trial_id) "
        "WHERE state != 'RUNNING'"
    )
    try:
        with sqlite3.connect(run.study) as database:
            return {number: rest for number, *rest in database.execute(query)}
    except sqlite3.OperationalError:  # its tables were not made yet
        return {}


def kept(run: RunFolder) -> dict[str, object]:
    """What must be there in the end as it is now: trials and trainings that have ended."""
    trainings = {path.name: path.stat().st_mtime_ns for path in run.confirmation.glob("[!.]*.npz")}
    return {**{str(number): rest for number, rest in ended_trials(run).items()}, **trainings}


class Survivor:
    """A run that is killed at moments that `draw` chooses, and how often it was."""

    def __init__(self, folder: Path, data: Path, options: Mapping[str, Any], draw: random.Random) -> None:
        self.run, self._data, self._options, self._draw = RunFolder(folder), data, options, draw
        self.kills = 0

    def survive(self, seconds: float) -> None:
        """Kill its sessions, each within `seconds` or so of its start, until one of them has ended by itself."""
        seen: dict[str, object] = {}
        # A short path, for the sockets of Ray.
        scratch = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))
        while True:
            process = session(self.run.root, self._data, self._options, scratch)
            process.join(self._draw.uniform(0, seconds))
            if process.exitcode is None:
                process.kill()
                process.join()
                self.kills += 1
            else:
                assert process.exitcode == 0
                break
            now = kept(self.run)
            assert now.items() >= seen.items(), "something that had ended was lost or made again"
            if now == seen:  # the machine may have become busier since `seconds` were measured
                seconds *= 1.1
            seen = now
        assert kept(self.run).items() >= seen.items()
        wait_until_gone(scratch)
        assert not [path for path in scratch.iterdir() if path.name.startswith("autoaug-")]
        shutil.rmtree(scratch)


def wait_until_gone(scratch: Path) -> None:
    """Raise `AssertionError` if processes that use `scratch` do not end: those of a Ray whose driver was killed."""
    for _ in range(round(2 * PATIENCE)):
        left = [p.info["cmdline"][:2] for p in psutil.process_iter(["cmdline"]) if str(scratch) in str(p.info)]
        if not left:
            return
        time.sleep(0.5)
    raise AssertionError(f"processes are left: {left}")
