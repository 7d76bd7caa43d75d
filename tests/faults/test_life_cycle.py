"""The life of a run: killed anywhere, out of room, driven twice, changed on the way or damaged, it loses nothing."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import yaml
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import autoaug
from autoaug.errors import DiskFull, InUse, NewerFormat, RunError, full_disk
from autoaug.modalities.image.models import build
from autoaug.pipeline.configure import reopen
from autoaug.policy.loading import load_policy
from autoaug.report.model_card import export_model
from autoaug.results import SearchResult, TrialSummary
from autoaug.runs.callbacks.base import Silent
from autoaug.runs.callbacks.event_log import EventLog
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import TrialSpec
from autoaug.search.executors.base import with_room
from autoaug.search.executors.inline import InlineExecutor
from autoaug.training.checkpoint import save_weights
from autoaug.training.inference import predict
from autoaug.training.result import TrialResult
from autoaug.training.state import new_training
from autoaug.training.tasks import Classification
from autoaug.training.trial import Train, failed
from autoaug.utils.files import write_whole
from autoaug.utils.locks import LOCK, held
from tests.conftest import write_npz
from tests.tasks import small_task

OPTIONS: dict[str, Any] = {"epochs": 1, "seeds": 2, "workers": 1, "model": "tests.faults.test_life_cycle:small"}
SEARCH: dict[str, Any] = {**OPTIONS, "space": "light", "strategy": "tpe", "trials": 4, "finalists": 1}


def small(channels: int, classes: int) -> Any:
    """A network that trains in no time."""
    import torch

    width = int(os.environ.get("TEST_WIDTH", "4"))
    pool = torch.nn.AdaptiveAvgPool2d(3)
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels, width, 3),
        torch.nn.ReLU(),
        pool,
        torch.nn.Flatten(),
        torch.nn.Linear(9 * width, classes),
    )


class Stopping(Silent):
    """Interrupts when the trial of a number, or so many trainings, have ended."""

    def __init__(self, trial: int = -1, trainings: int = -1) -> None:
        self._trial, self._trainings = trial, trainings

    def trial_ended(self, trial: TrialSummary, *_: object) -> None:  # type: ignore[override]
        if trial.number == self._trial:
            raise KeyboardInterrupt

    def training_ended(self, _: str, done: int, *__: object) -> None:  # type: ignore[override]
        if done == self._trainings:
            raise KeyboardInterrupt


class Killed(BaseException):
    """As good as kill -9: nothing in the code catches it."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "bars.npz")


@pytest.fixture(scope="module")
def whole(data: Path) -> SearchResult:
    """A search that nothing interrupted."""
    return autoaug.search(data, out=data.parent / "whole", **SEARCH)


@pytest.fixture
def run(whole: SearchResult, tmp_path: Path) -> RunFolder:
    """A copy of it."""
    return RunFolder(shutil.copytree(whole.run_dir, tmp_path / "run"))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The policies that are trained from here on."""
    found: list[str] = []
    real = Train.run

    def noting(self: Train, task: Any, seed: int) -> Any:
        found.append(f"{self.policy.fingerprint()} {seed}")
        return real(self, task, seed)

    monkeypatch.setattr(Train, "run", noting)
    return found


def outcome(result: SearchResult) -> object:
    """All of a result that follows from the seed."""
    return result.sentence, result.returned, [c.model_copy(update={"seconds": 0.0}) for c in result.candidates]


def check_weights(result: SearchResult) -> None:
    """The weights are the returned policy's: they predict what its first training did, and no others are left."""
    folder, _, data, _ = reopen(result.run_dir, trust=True)
    config = RunFolder.open(folder.root)[1]
    candidate = result.candidate(result.returned.name)
    blank = np.zeros(data.train.inputs.shape[0], np.float32)
    import torch

    mean = torch.from_numpy(blank)
    model = build(config.model, data.train.inputs.shape, len(data.classes), mean, mean, seed=0)
    model.load_state_dict(load_file(folder.model))
    found = predict(model, Classification(len(data.classes)), data.test.inputs, "cpu", "image")
    name = f"{candidate.fingerprint}-{candidate.seeds[0]}.npz"
    with np.load(folder.confirmation / name) as file:
        np.testing.assert_array_equal(found, file["test_predictions"])
    left = [path for path in folder.root.rglob("*") if path.suffix in {".safetensors", ".unfinished"}]
    assert left == [folder.model]
    assert not folder.checkpoints.exists()
    assert not (folder.root / LOCK).exists()


def test_killed_at_any_write_from_the_confirmation_on_a_run_ends_with_all_it_should(
    whole: SearchResult, run: RunFolder, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    """Every file is moved to its place when it is whole: the n-th session is killed at its n-th such move."""
    # What only takes time is made small.
    monkeypatch.setattr("autoaug.pipeline.run.write_report", lambda folder: write_whole(folder.report, "a report"))
    monkeypatch.setattr(
        "autoaug.pipeline.run.export_modules", lambda _: {"policy_torchvision.py": "", "policy_kornia.py": ""}
    )
    monkeypatch.setattr("autoaug.pipeline.run.to_bytes", lambda *_: b"")
    for path in run.root.iterdir():
        if path.name != "config.yaml" and not path.name.startswith("study.db"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    real, sessions = Path.replace, 0
    while not run.report.is_file():
        sessions += 1
        assert sessions < 60
        moves = 0

        def dying(self: Path, target: Path, last: int = (sessions + 1) // 2, before: bool = sessions % 2 == 0) -> Path:
            nonlocal moves
            moves += 1
            if moves >= last and before:
                raise Killed
            moved = real(self, target)
            if moves >= last:
                raise Killed
            return moved

        monkeypatch.setattr(Path, "replace", dying)
        try:
            autoaug.resume(run.root, trust=True)
        except Killed:
            (run.checkpoints / "stale.safetensors").parent.mkdir(exist_ok=True)
            (run.checkpoints / "stale.safetensors").touch()
        monkeypatch.setattr(Path, "replace", real)
    assert sessions > 12
    again = autoaug.resume(run.root, trust=True)
    assert outcome(again) == outcome(whole)
    check_weights(again)
    pairs = sum(len(c.seeds) for c in whole.candidates)
    assert len(set(trainings)) == pairs
    assert len(trainings) < pairs + sessions, "what has ended is not run again"


def test_weights_that_an_older_version_lost_are_trained_again(
    whole: SearchResult, run: RunFolder, trainings: list[str]
) -> None:
    for path in (run.result, run.report, run.model):
        path.unlink()
    again = autoaug.resume(run.root, trust=True)
    assert outcome(again) == outcome(whole)
    candidate = whole.candidate(whole.returned.name)
    assert trainings == [f"{candidate.fingerprint} {candidate.seeds[0]}"]
    check_weights(again)


@pytest.mark.parametrize("damage", ["cut", "empty", "not JSON", "a field is missing", "not UTF-8", "none"])
def test_a_damaged_result_is_written_again_by_resume(
    damage: str, whole: SearchResult, run: RunFolder, trainings: list[str]
) -> None:
    content = run.result.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "not JSON": b"[1, 2",
        "a field is missing": content.replace(b'"verdict"', b'"vredict"', 1),
        "not UTF-8": content.replace(b"none", b"n\xffne"),
    }
    if damage == "none":
        run.result.unlink()
    else:
        run.result.write_bytes(damaged[damage])
    again = autoaug.resume(run.root, trust=True)
    assert outcome(again) == outcome(whole)
    assert trainings == []
    check_weights(again)
    assert outcome(SearchResult.load(run.root)) == outcome(whole)


@pytest.mark.parametrize("damage", ["none", "empty", "cut", "not weights"])
def test_weights_that_are_damaged_are_not_exported_and_can_be_had_again(
    damage: str, whole: SearchResult, run: RunFolder, tmp_path: Path
) -> None:
    content = run.model.read_bytes()
    if damage == "none":
        run.model.unlink()
    else:
        run.model.write_bytes({"empty": b"", "cut": content[:-4], "not weights": b"\xff" * 99}[damage])
    with pytest.raises(RunError, match=r"weights; delete|damaged .*; delete"):
        export_model(run, tmp_path / "exported")
    assert not (tmp_path / "exported").exists()
    run.result.unlink()
    check_weights(autoaug.resume(run.root, trust=True))
    assert export_model(run, tmp_path / "exported")


@pytest.mark.parametrize("content", [None, b"", b"layers: [", b"\xff"])
def test_a_damaged_policy_is_written_again_by_resume(
    content: bytes | None, run: RunFolder, trainings: list[str]
) -> None:
    before = run.policy.read_bytes()
    if content is None:
        run.policy.unlink()
    else:
        run.policy.write_bytes(content)
    again = autoaug.resume(run.root, trust=True)
    assert run.policy.read_bytes() == before
    assert trainings == []
    check_weights(again)


def test_a_result_of_a_newer_version_is_left_as_it_is(run: RunFolder) -> None:
    newer = run.result.read_text().replace('"format": 2', '"format": 3', 1)
    run.result.write_text(newer)
    with pytest.raises(NewerFormat, match="upgrade"):
        autoaug.resume(run.root, trust=True)
    assert run.result.read_text() == newer


def npz(path: Path, **changes: object) -> None:
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    np.savez_compressed(path, **{**arrays, **changes})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"no archive"),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(path.read_bytes()[:90] + b"\0\1\2\3" + path.read_bytes()[94:]),
        lambda path: npz(path, test_predictions=np.zeros(3, np.uint16)),
        lambda path: npz(path, validation_predictions=np.zeros((30, 2), np.uint16)),
        lambda path: npz(path, test_predictions=np.zeros(60, np.float64)),
        lambda path: npz(path, seconds=np.nan),
        lambda path: npz(path, seconds=np.zeros(3)),
        lambda path: npz(path, seconds="long"),
        lambda path: np.savez(path, seconds=1.0),
    ],
)
def test_a_training_whose_file_is_damaged_is_run_again(
    damage: Callable[[Path], None], whole: SearchResult, run: RunFolder, trainings: list[str]
) -> None:
    damaged = sorted(run.confirmation.glob("*.npz"))[0]
    damage(damaged)
    run.result.unlink()
    again = autoaug.resume(run.root, trust=True)
    assert outcome(again) == outcome(whole)
    assert trainings == [damaged.stem.replace("-", " ")]
    said = [json.loads(line).get("message", "") for line in run.events.read_text().splitlines()]
    assert sum("is damaged" in message and "trained again" in message for message in said) == 1


@pytest.mark.parametrize("is_search", [True, False])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "auto"}, "model"),
        ({"recipe": {"epochs": 2, "batch_size": 32}}, "epochs 1, not 2"),
        ({"recipe": {"epochs": 1, "batch_size": 32, "label_smoothing": 0.2}}, "label smoothing 0.1, not 0.2"),
        ({"seed": 7}, "seed 0, not 7"),
        ({"allow": ["leak"]}, "allow"),
        ({"accept": "tests.rules:no_image"}, "accept"),
    ],
)
def test_a_run_does_not_go_on_with_trainings_of_another_kind(
    is_search: bool, changes: dict[str, Any], words: str, run: RunFolder, data: Path, tmp_path: Path
) -> None:
    run.result.unlink()
    (run.confirmation / "facts.json").unlink() if is_search else None  # what the study knows is enough
    edit(run, **changes)
    with pytest.raises(RunError, match=words) as refused:
        autoaug.resume(run.root, trust=True)
    assert "\n" not in str(refused.value)
    assert "restore" in str(refused.value)


def edit(run: RunFolder, **changes: Any) -> None:
    config = yaml.safe_load(run.config.read_text())
    run.config.write_text(yaml.safe_dump({**config, **changes}, sort_keys=False))


def test_another_network_behind_the_same_name_is_refused(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.result.unlink()
    monkeypatch.setenv("TEST_WIDTH", "5")
    with pytest.raises(RunError, match="network"):
        autoaug.resume(run.root, trust=True)


def test_how_a_run_is_carried_out_may_change_and_so_may_its_length(
    whole: SearchResult, run: RunFolder, trainings: list[str]
) -> None:
    run.result.unlink()
    edit(run, memory_limit=1, command="another", trial_timeout=500.0, track=[], budget={"trials": 4}, most_seeds=3)
    assert outcome(autoaug.resume(run.root, trust=True))[0] == outcome(whole)[0]  # type: ignore[index]
    assert trainings == []


def test_a_run_of_a_version_that_noted_nothing_goes_on(
    whole: SearchResult, run: RunFolder, trainings: list[str]
) -> None:
    run.result.unlink()
    (run.confirmation / "facts.json").unlink()
    with sqlite3.connect(run.study) as database:
        database.execute("DELETE FROM study_user_attributes WHERE key = 'facts'")
    assert outcome(autoaug.resume(run.root, trust=True)) == outcome(whole)
    assert trainings == []


def test_trials_that_someone_else_added_or_damaged_are_left_aside(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"

    with pytest.raises(KeyboardInterrupt):
        autoaug.search(data, out=out, progress=Stopping(trial=2), **{**SEARCH, "trials": 6})
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{out}/study.db")
    study.add_trial(optuna.trial.create_trial(value=0.999))
    study.enqueue_trial({"x": 1})
    study.add_trial(optuna.trial.create_trial(value=0.99, user_attrs={"asked": {"name": "x", "policy": "{"}}))
    study.ask()
    result = autoaug.resume(out, trust=True)
    expected = autoaug.search(data, out=tmp_path / "straight", **{**SEARCH, "trials": 6})
    assert [(t.name, t.score, t.params) for t in result.history] == [
        (t.name, t.score, t.params) for t in expected.history
    ]
    assert len({t.number for t in result.history}) == 6
    assert result.sentence == expected.sentence
    said = [json.loads(line).get("message", "") for line in (out / "events.jsonl").read_text().splitlines()]
    assert any(message.startswith("left aside: 3 trials") for message in said)


# A full disk


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
            attempt(lambda: write_whole(root / "whole", b"x" * 10_000)),
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


def test_workers_tell_the_driver_that_their_disk_is_full() -> None:
    """As a result that crosses processes: Ray hands it on as it is, and the driver raises."""
    fault = RuntimeError("the user's own words")
    fault.__cause__ = OSError(122, "Disk quota exceeded")
    result = pickle.loads(pickle.dumps(failed(TrialResult(started=0.0), fault)))
    with pytest.raises(DiskFull):
        with_room(result)
    assert with_room(failed(TrialResult(started=0.0), ValueError())).status == "failed"


def test_a_node_that_cannot_write_a_checkpoint_trains_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    executor = InlineExecutor(replace(small_task(epochs=1), checkpoints=tmp_path / "file" / "checkpoints"))
    executor.submit(TrialSpec("1", Train(load_policy("none"), keeps_weights=True), 0))
    assert [executor.next_result()[1].status for _ in range(2)] == ["running", "complete"]


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
            size += 40 if size < 700 else 6000
            resize(f"{size}k")
        assert pauses > 3
        assert outcome(result) == outcome(whole)
        assert result.trials == whole.trials
        check_weights(result)


def test_a_full_disk_pauses_a_search_for_an_objective(tmp_path: Path) -> None:
    calls: list[int] = []
    is_full = True

    def objective(transform: object, seed: int, fidelity: float) -> float:
        calls.append(seed)
        if is_full and len(calls) > 3:
            raise OSError(28, "No space left on device", "my-file")
        return 0.5

    options: dict[str, Any] = {"trials": 6, "seeds": 2, "strategy": "random", "out": tmp_path / "run"}
    with pytest.raises(DiskFull, match=r"my-file.*the same call goes on"):
        autoaug.search(objective=objective, **options)
    is_full = False
    found = autoaug.search(objective=objective, **options)
    assert {trial.status for trial in found.history} == {"complete"}


def test_the_scores_of_an_objective_are_not_asked_for_again(tmp_path: Path) -> None:
    calls: list[int] = []

    def objective(transform: object, seed: int, fidelity: float) -> float:
        calls.append(seed)
        return 0.5 + len(calls) * 0.01

    options: dict[str, Any] = {"trials": 5, "seeds": 2, "strategy": "random", "out": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        autoaug.search(objective=objective, progress=Stopping(trainings=2), **options)
    before = len(calls)
    found = autoaug.search(objective=objective, **options)
    assert len(calls) - before == sum(len(c.scores) for c in found.candidates) - 2
    before = len(calls)
    again = autoaug.search(objective=objective, **options)
    assert len(calls) == before
    assert again == found


# One driver at a time

HOLD = """
import os, sys, time
from pathlib import Path
from autoaug.job import Silent
from autoaug.locking import held
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


def test_a_lock_that_is_a_link_is_refused_and_its_target_kept(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    (tmp_path / LOCK).symlink_to("mine")
    with pytest.raises(RunError, match="cannot be locked"), held(tmp_path, ""):
        pass
    assert (tmp_path / "mine").read_text() == "kept"


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
    with pytest.raises(RunError, match="continue it with: autoaug resume"):
        RunFolder.create(tmp_path / "new", config)


def test_a_run_begins_in_the_working_directory(run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which cannot be replaced by a folder that is made elsewhere; nor can a volume that is mounted."""
    _, config = RunFolder.open(run.root)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    RunFolder.create(".", config)
    assert [path.name for path in Path().iterdir()] == ["config.yaml"]


def test_a_run_folder_that_cannot_be_made_leaves_nothing(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, config = RunFolder.open(run.root)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autoaug.runs.folder._dump", full)
    with pytest.raises(RunError, match=r"cannot make the run folder .*No space left"):
        RunFolder.create(tmp_path / "new", config)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("arguments", [("generate", "fit", "digits", "--kind", "pca"), ("expand", "digits", "none")])
def test_folders_of_data_have_one_writer(
    arguments: tuple[str, ...], tmp_path: Path, refused: Callable[..., str]
) -> None:
    (tmp_path / "out").mkdir()
    with driver(tmp_path / "out") as (_, number):
        said = refused(*arguments, "--out", "out", folder=tmp_path)
    assert f"out is in use by process {number}" in said
    assert [path.name for path in (tmp_path / "out").iterdir()] == [LOCK]


def test_weights_say_whose_they_are(run: RunFolder, whole: SearchResult) -> None:
    candidate = whole.candidate(whole.returned.name)
    with safe_open(run.model, framework="pt") as file:
        assert file.metadata() == {"policy": candidate.fingerprint, "seed": str(candidate.seeds[0])}
