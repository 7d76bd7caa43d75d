"""A full disk: every writer reports it and leaves no partial file, and a run pauses until there is space."""

from __future__ import annotations

import pickle
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from safetensors.torch import save_file

import autoaug
from autoaug.errors import DiskFull, full_disk
from autoaug.policy.loading import load_policy
from autoaug.results import SearchResult
from autoaug.runs.callbacks.event_log import EventLog
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import TrialSpec
from autoaug.search.executors.base import unless_disk_full
from autoaug.search.executors.inline import InlineExecutor
from autoaug.training.checkpoint import save_weights
from autoaug.training.result import TrialResult
from autoaug.training.state import new_training
from autoaug.training.trial import Train, failed
from autoaug.utils.files import write_atomically
from tests.faults.life import SEARCH, Stopping, check_weights, outcome
from tests.tasks import small_task


@contextmanager
def disk(path: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of `size` at `path`, and what gives it another."""
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}"]
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, *options, "tmpfs", path], check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(path)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(path: Path, leave: int) -> Path:
    """A file that takes all room but `leave` bytes."""
    ballast = path / "ballast"
    room = shutil.disk_usage(path).free - leave
    ballast.write_bytes(b"\0" * max(0, room))
    return ballast


@pytest.mark.fault("storage", "disk full at every writer")
def test_every_writer_says_when_its_disk_is_full_and_leaves_no_part(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", "1m"):
        root = tmp_path / "disk"
        storage = optuna.storages.RDBStorage(f"sqlite:///{root}/study.db")
        study = optuna.create_study(storage=storage)
        fill(root, 4096)
        before = sorted(root.iterdir())

        def attempt(work: Callable[[], object]) -> BaseException:
            try:
                work()
            except Exception as fault:
                return fault
            raise AssertionError("there was room")

        import torch

        training = new_training(small_task().plan(load_policy("none"), 0))
        faults = [
            attempt(lambda: write_atomically(root / "whole", b"x" * 10_000)),
            attempt(lambda: save_file({"x": torch.zeros(10_000)}, root / "file.safetensors")),
            attempt(lambda: save_weights(training, root / "weights.safetensors")),
            attempt(lambda: [study.set_user_attr(str(i), "x" * 2000) for i in range(100)]),
        ]
        assert [fault for fault in faults if not full_disk(fault)] == []
        assert not full_disk(OSError(13, "Permission denied"))
        assert not full_disk(ValueError("no space"))
        (root / "file.safetensors").unlink(missing_ok=True)
        assert {path for path in root.iterdir() if "study.db" not in path.name} == set(before) - {root / "study.db"}
        assert str(root / "whole") in str(faults[0])
        storage.engine.dispose()


def test_an_event_that_has_no_room_is_said(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    events = EventLog(log)
    log.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as fault:
        events.say("hello")
    assert full_disk(fault.value)


@pytest.mark.fault("storage", "disk full at a checkpoint")
def test_a_checkpoint_without_room_is_no_failure_of_its_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors import SafetensorError

    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("autoaug.training.checkpoint.save_file", full)
    executor = InlineExecutor(replace(small_task(epochs=1), checkpoints=tmp_path))
    executor.submit(TrialSpec("1", Train(load_policy("none"), keeps_weights=True), 0))
    assert executor.next_result()[1].status == "running"
    with pytest.raises(DiskFull, match="No space left"):
        executor.next_result()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("storage", "disk full on a worker")
def test_workers_tell_the_driver_that_their_disk_is_full() -> None:
    """As a result that crosses processes: Ray hands it on as it is, and the driver raises."""
    fault = RuntimeError("the user's own words")
    fault.__cause__ = OSError(122, "Disk quota exceeded")
    result = pickle.loads(pickle.dumps(failed(TrialResult(started=0.0), fault)))
    with pytest.raises(DiskFull):
        unless_disk_full(result)
    assert unless_disk_full(failed(TrialResult(started=0.0), ValueError())).status == "failed"


@pytest.mark.fault("storage", "a node that cannot write")
def test_a_node_that_cannot_write_a_checkpoint_trains_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    executor = InlineExecutor(replace(small_task(epochs=1), checkpoints=tmp_path / "file" / "checkpoints"))
    executor.submit(TrialSpec("1", Train(load_policy("none"), keeps_weights=True), 0))
    assert [executor.next_result()[1].status for _ in range(2)] == ["running", "complete"]


@pytest.mark.slow
@pytest.mark.fault("storage", "disk full again and again in a run")
def test_a_run_on_a_full_disk_pauses_again_and_again_until_there_is_room(
    whole: SearchResult, data: Path, tmp_path: Path
) -> None:
    with disk(tmp_path / "disk", "200k") as resize:
        run = RunFolder(tmp_path / "disk" / "run")
        size, pauses = 200, 0
        while True:
            try:
                if run.config.is_file():
                    result = autoaug.resume(run.root, trust=True)
                else:
                    result = autoaug.search(data, out=run.root, **SEARCH)
                break
            except DiskFull as fault:
                said = str(fault)
                assert "autoaug resume" in said
                assert "\n" not in said
                pauses += 1
            size += 70 if size < 700 else 6000
            resize(f"{size}k")
        assert pauses > 3
        assert outcome(result) == outcome(whole)
        assert result.trials == whole.trials
        check_weights(result)


@pytest.mark.fault("storage", "disk full in an objective")
def test_a_full_disk_pauses_a_search_for_an_objective(tmp_path: Path) -> None:
    calls: list[int] = []
    is_full = True

    def objective(transform: object, seed: int, fidelity: float) -> float:
        calls.append(seed)
        if is_full and len(calls) > 3:
            raise OSError(28, "No space left on device", "my-file")
        return 0.5

    options: dict[str, Any] = {"trials": 6, "seeds": 2, "strategy": "random", "out": tmp_path / "run"}
    with pytest.raises(DiskFull, match=r"my-file.*continue with the same call"):
        autoaug.search(objective=objective, **options)
    is_full = False
    result = autoaug.search(objective=objective, **options)
    assert {trial.status for trial in result.history} == {"complete"}


def test_the_scores_of_an_objective_are_not_asked_for_again(tmp_path: Path) -> None:
    calls: list[int] = []

    def objective(transform: object, seed: int, fidelity: float) -> float:
        calls.append(seed)
        return 0.5 + len(calls) * 0.01

    options: dict[str, Any] = {"trials": 5, "seeds": 2, "strategy": "random", "out": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        autoaug.search(objective=objective, progress=Stopping(trainings=2), **options)
    before = len(calls)
    result = autoaug.search(objective=objective, **options)
    assert len(calls) - before == sum(len(c.scores) for c in result.candidates) - 2
    before = len(calls)
    again = autoaug.search(objective=objective, **options)
    assert len(calls) == before
    assert again == result


@pytest.mark.fault("storage", "an output that can only be read")
def test_an_output_that_can_only_be_read_is_one_line(data: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    with disk(tmp_path / "disk", "1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "disk")], check=True)
        for arguments in (
            ("search", str(data), "--trials", "3"),
            ("expand", str(data), "flip-crop"),
            ("generate", "fit", str(data), "--kind", "pca"),
        ):
            assert "Read-only file system" in refused(*arguments, "--out", str(tmp_path / "disk/new"), folder=tmp_path)
        assert list((tmp_path / "disk").iterdir()) == []
