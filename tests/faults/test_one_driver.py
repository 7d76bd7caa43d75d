"""One process at a time in a run folder, a data folder or a study; a killed process does not block others."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

import autoaug
from autoaug.errors import InUse, RunError
from autoaug.pipeline import session
from autoaug.pipeline.forecast import Forecast
from autoaug.pipeline.job import Job
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder, make_next_free
from autoaug.utils.locks import LOCK, held
from tests.faults.life import outcome

HOLD = """
import os, sys, time
from pathlib import Path
from autoaug.utils.locks import held
with held(Path(sys.argv[1]), ""):
    if len(sys.argv) > 2 and not os.fork():
        print(os.getpid(), flush=True)
        time.sleep(600)
    if len(sys.argv) == 2:
        print(os.getpid(), flush=True)
    time.sleep(600)
"""


@contextmanager
def driver(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process in `folder`, and the number that it printed."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder), *more], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.fault("driver", "two drivers of one run")
def test_a_second_driver_is_refused_by_name_and_one_that_was_killed_is_no_hindrance(
    run: RunFolder, whole: SearchResult, refused: Callable[..., str]
) -> None:
    run.report.unlink()
    with driver(run.root) as (process, number):
        said = refused("resume", str(run.root), "--trust", folder=run.root.parent)
        assert f"process {number} on host {socket.gethostname()}" in said
        assert "autoaug resume" in said
        assert not run.report.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (run.root / LOCK).exists()
        assert outcome(autoaug.resume(run.root, trust=True)) == outcome(whole)


@pytest.mark.fault("driver", "a child that outlives its driver")
def test_a_child_that_outlives_its_parent_does_not_keep_the_lock(tmp_path: Path) -> None:
    with driver(tmp_path, "fork") as (process, child):
        with pytest.raises(InUse), held(tmp_path, ""):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.kill(child, 0)
        try:
            with held(tmp_path, ""):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


def test_the_lock_leaves_nothing_behind(tmp_path: Path) -> None:
    with held(tmp_path / "new", ""), pytest.raises(InUse, match=f"process {os.getpid()}"), held(tmp_path / "new", ""):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("security", "a lock that is a link")
def test_a_lock_that_is_a_link_is_refused_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    (tmp_path / LOCK).symlink_to("mine")
    with pytest.raises(RunError, match="cannot be locked"), held(tmp_path, ""):
        pass
    assert (tmp_path / "mine").read_text() == "kept"


@pytest.mark.fault("driver", "two drivers that begin at once")
def test_of_two_that_begin_at_once_one_is_refused(run: RunFolder, tmp_path: Path) -> None:
    _, config = RunFolder.open(run.root)
    with driver(tmp_path / "new") as (process, number):
        with pytest.raises(InUse, match=f"process {number}"):
            RunFolder.create(tmp_path / "new", config)
        process.kill()
        process.wait()
        (tmp_path / "new" / ".config.yaml.unfinished").write_text("half")
        RunFolder.create(tmp_path / "new", config)  # what was killed before it began leaves nothing in the way
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["config.yaml"]
    with pytest.raises(RunError, match="continue that run with: autoaug resume"):
        RunFolder.create(tmp_path / "new", config)


@pytest.mark.fault("driver", "two drivers that begin at once")
def test_of_two_that_begin_at_once_without_a_name_each_gets_its_own_folder(
    data: Path, run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one begins while this one is timing its steps."""
    monkeypatch.chdir(tmp_path)
    real = session.forecast

    def meanwhile(job: Job) -> Forecast:
        shutil.copytree(run.root, "runs/bars-search-1")
        return real(job)

    monkeypatch.setattr(session, "forecast", meanwhile)
    monkeypatch.setattr(session, "_carry_out", lambda job: job.folder)
    options = {"trials": 1, "epochs": 1, "seeds": 2, "executor": "inline"}
    assert cast("Any", autoaug.search(data, **options)).root == Path("runs/bars-search-2")


def test_a_folder_that_another_run_takes_first_is_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter(["run-1", "run-2"])
    (tmp_path / "run-1").mkdir()
    monkeypatch.setattr("autoaug.runs.folder.next_free", lambda parent, _: parent / next(names))
    assert make_next_free(tmp_path, "run") == tmp_path / "run-2"
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot make a run folder in"):
        make_next_free(tmp_path / "file", "run")


def test_a_run_begins_in_the_working_directory(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which cannot be replaced by a folder that is made elsewhere; nor can a volume that is mounted."""
    _, config = RunFolder.open(run.root)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    RunFolder.create(".", config)
    assert [path.name for path in Path().iterdir()] == ["config.yaml"]


@pytest.mark.fault("storage", "a run folder that cannot be made")
def test_a_run_folder_that_cannot_be_made_leaves_nothing(
    run: RunFolder, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, config = RunFolder.open(run.root)
    monkeypatch.chdir(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autoaug.runs.folder.write_atomically", full)
    with pytest.raises(RunError, match=r"cannot make the run folder .*No space left"):
        RunFolder.create(tmp_path / "new", config)
    assert not (tmp_path / "new").exists()
    with pytest.raises(RunError, match=r"cannot make the run folder runs/bars-search-1: No space left"):
        autoaug.search(data, trials=1, epochs=1, seeds=2, executor="inline")
    assert list((tmp_path / "runs").iterdir()) == [], "the number is free for the next run"


@pytest.mark.parametrize(
    "arguments", [("generate", "fit", "digits", "--kind", "pca"), ("expand", "digits", "flip-crop")]
)
def test_folders_of_data_have_one_writer(
    arguments: tuple[str, ...], tmp_path: Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "out").mkdir()
    with driver(tmp_path / "out") as (_, number):
        said = refused(*arguments, "--out", "out", folder=tmp_path)
    assert f"out is in use by process {number}" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == [LOCK]
