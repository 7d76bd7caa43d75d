"""The event log, real trackers that write to files, and the live page of a run."""

from __future__ import annotations

import inspect
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError

import pytest
from rich.console import Console

import autoaug
from autoaug.cli.outcome import print_outcome
from autoaug.errors import AutoaugError
from autoaug.report.reading import read_unfinished
from autoaug.report.server import event_line
from autoaug.results import MetricRecord, SearchResult, TrialSummary
from autoaug.runs.callbacks import TRACKERS, open_trackers
from autoaug.runs.callbacks.base import Broadcast, Guarded, Tracker, as_key
from autoaug.runs.callbacks.console import ConsoleProgress
from autoaug.runs.callbacks.event_log import EventLog, read_events
from autoaug.runs.callbacks.tensorboard import TensorBoard
from autoaug.runs.folder import RunFolder
from autoaug.search.progress import Progress
from tests.conftest import PATIENCE, Ended, write_npz
from tests.runs.trials import made_trial

Tracking = Callable[[str], AbstractContextManager[list[Tracker]]]

OPTIONS = {"space": "light", "trials": 5, "epochs": 1, "seeds": 2, "workers": 1, "finalists": 1}


def searched(folder: Path, *track: str) -> Path:
    data = write_npz(folder / "bars.npz")
    return autoaug.search(data, strategy="random", out=str(folder / "run"), track=track, **OPTIONS).run_dir


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run that every tracker that is installed was told of, each writing to files."""
    folder = tmp_path_factory.mktemp("tracked")
    installed = [name for name, (module, _) in TRACKERS.items() if find_spec(module)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_TRACKING_URI": (folder / "mlruns").as_uri(),
            "WANDB_MODE": "offline",
            "WANDB_SILENT": "true",
        }.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["autoaug", "search", "--storage", "postgresql://me:s3cret@noted/d"])
        yield searched(folder, *installed)


@pytest.fixture
def run(tracked: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(tracked, tmp_path / "run", ignore=shutil.ignore_patterns("wandb", "tensorboard"))


def test_the_event_log_has_every_trial_and_the_verdict(tracked: Path) -> None:
    events = read_events(tracked / "events.jsonl")
    result = autoaug.SearchResult.load(tracked)
    assert [e["trial"]["number"] for e in events if e["event"] == "trial"] == [t.number for t in result.history]
    assert events[-1]["event"] == "finished"
    assert events[-1]["verdict"] == result.verdict


def test_a_torn_line_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).say("one")
    with path.open("a") as file:
        file.write('{"time": 1, "ev')
    EventLog(path).say("two")
    assert [event["message"] for event in read_events(path)] == ["one", "two"]


def test_tensorboard_gets_scalars(tracked: Path) -> None:
    pytest.importorskip("tensorboardX")
    files = list((tracked / "tensorboard").glob("events.out.*"))
    assert files
    assert b"trial/validation_accuracy" in b"".join(file.read_bytes() for file in files)


def test_mlflow_gets_a_parent_and_a_child_a_trial(tracked: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient()
    runs = client.search_runs([client.get_experiment_by_name("autoaug").experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert len(runs) == 1 + len(SearchResult.load(tracked).history)
    assert {a.path for a in client.list_artifacts(parents[0].info.run_id)} >= {"report.html", "policy.yaml"}
    assert parents[0].info.status == "FINISHED"


@pytest.fixture
def tracking(tracked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tracking:
    """Opens a tracker for a new folder, which writes to files there."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    _, config = RunFolder.open(tracked)
    (tmp_path / "run").mkdir()
    return lambda name: open_trackers(
        config.model_copy(update={"track": (name,)}), RunFolder(tmp_path / "run"), Progress()
    )


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), "KILLED"), (ValueError("no"), "FAILED")])
def test_mlflow_learns_that_a_run_ended_too_early(error: BaseException, status: str, tracking: Tracking) -> None:
    mlflow = pytest.importorskip("mlflow")
    with pytest.raises(type(error)), tracking("mlflow"):
        raise error
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("autoaug").experiment_id])
    assert run.info.status == status


def test_candidates_are_told_apart_by_their_names(tracked: Path, tmp_path: Path, tracking: Tracking) -> None:
    """Names of policies have characters that keys of MLflow may not have."""
    mlflow = pytest.importorskip("mlflow")
    result = SearchResult.load(tracked)
    (tmp_path / "run").rmdir()
    shutil.copytree(tracked, tmp_path / "run", ignore=shutil.ignore_patterns("wandb", "tensorboard"))
    keys = {"flip-crop+randaugment(1,14)": "flip-crop_randaugment_1_14_", "../a policy.yaml": ".._a_policy.yaml"}
    first = result.candidates[0]
    candidates = [first.model_copy(update={"name": name, "mean": mean / 4}) for mean, name in enumerate(keys)]
    with tracking("mlflow") as trackers:
        for tracker in trackers:
            tracker.finished(result.model_copy(update={"candidates": tuple(candidates)}))
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("autoaug").experiment_id])
    assert run.info.status == "FINISHED"
    assert {f"test_accuracy/{key}": mean / 4 for mean, key in enumerate(keys.values())} == run.data.metrics


def test_tensorboard_has_what_it_was_told_before_ctrl_c(tmp_path: Path, tracking: Tracking) -> None:
    pytest.importorskip("tensorboardX")
    with suppress(KeyboardInterrupt), tracking("tensorboard") as trackers:
        trackers[-1].trial_ended(made_trial(), 0.5)
        raise KeyboardInterrupt
    (file,) = (tmp_path / "run/tensorboard").glob("events.out.*")
    assert b"search/budget_spent" in file.read_bytes()


def test_wandb_writes_offline_and_learns_no_password(tracked: Path) -> None:
    pytest.importorskip("wandb")
    assert len(list((tracked / "wandb").glob("offline-run-*"))) == 1 + len(SearchResult.load(tracked).history)
    written = b"".join(path.read_bytes() for path in (tracked / "wandb").rglob("*") if path.is_file())
    assert b"@noted/d" in written
    assert b"s3cret" not in written


ERRORS = MetricRecord(name="word errors", unit="per word", larger_is_better=False)


@pytest.fixture
def of_errors(run: Path) -> SearchResult:
    """A result whose scores are negative error rates."""
    return SearchResult.load(run).model_copy(update={"metric": ERRORS})


def test_trackers_are_told_of_the_metric_that_the_run_has(
    of_errors: SearchResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: dict[str, float] = {}

    class Writer:
        def __init__(self, _: str) -> None: ...

        def add_scalar(self, key: str, value: float, _: int) -> None:
            written[key] = value

        def add_text(self, *_: str) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setitem(sys.modules, "tensorboardX", SimpleNamespace(SummaryWriter=Writer))
    tracker = TensorBoard(RunFolder(tmp_path), {})
    tracker.measured_by(ERRORS)
    trial = next(trial for trial in of_errors.history if trial.score is not None)
    tracker.trial_ended(trial.model_copy(update={"score": -0.25}), 0.5)
    tracker.finished(of_errors)
    assert written["trial/validation_word_errors"] == 0.25
    for candidate in of_errors.candidates:
        assert written[f"confirmation/test_word_errors/{as_key(candidate.name)}"] == -candidate.mean
    assert not [key for key in written if "accuracy" in key]


def test_the_terminal_and_an_unfinished_run_show_the_metric_that_the_run_has(
    of_errors: SearchResult, run: Path
) -> None:
    shown = io.StringIO()
    trial = next(t for t in of_errors.history if t.score is not None).model_copy(update={"score": -0.25})
    folder, _ = RunFolder.open(run)
    folder.events.unlink()
    log = EventLog(folder.events)
    with ConsoleProgress(Console(file=shown, force_terminal=False, width=200)) as progress:
        for told in (progress, log):
            told.measured_by(ERRORS)
            told.trial_ended(trial, 0.5)
    assert "0.25 per word" in shown.getvalue()
    assert "%" not in shown.getvalue().replace("50 % done", "")
    assert read_unfinished(folder).facts.metric == ERRORS
    line = event_line(read_events(folder.events)[-1], ERRORS)
    assert line.endswith(f" trial {trial.number}, {trial.label}: 0.25 per word, 50 % of the budget")
    log.trial_ended(trial.model_copy(update={"words": "flips", "data_fraction": 0.25}), 0.75)
    line = event_line(read_events(folder.events)[-1], ERRORS)
    assert line.endswith(", flips: 0.25 per word on 25 % of the data, 75 % of the budget")
    outcome = io.StringIO()
    print_outcome(Console(file=outcome, width=200), of_errors)
    assert f"{-of_errors.candidates[0].mean:.4g} per word" in outcome.getvalue()


class Failing(Tracker):
    """A tracker whose server goes away after the second trial."""

    def __init__(self, *_: object) -> None:
        self.told = 0

    def trial_ended(self, *_: object) -> None:
        self.told += 1
        if self.told == 2:
            raise ConnectionError("the server went away\nwith a page of details")
        assert self.told < 2, "told again"

    def training_ended(self, *_: object) -> None:
        raise AssertionError("told again")

    say = finished = training_ended

    def measured_by(self, *_: object) -> None: ...


@pytest.mark.usefixtures("no_report")
def test_a_tracker_that_fails_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "say", lambda *_: None)
    monkeypatch.setitem(TRACKERS, "wandb", ("json", Failing))
    run = searched(tmp_path, "wandb")
    assert (run / "result.json").is_file()
    said = [event["message"] for event in read_events(run / "events.jsonl") if event["event"] == "stage"]
    assert [m for m in said if "--track" in m] == [
        "--track wandb failed (the server went away); it is switched off for the rest of this run"
    ]


def test_a_tracker_that_cannot_begin_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: object) -> None:
        raise ConnectionError("nobody answers at https://me:s3cret@host/?key=s3cret")

    monkeypatch.setitem(TRACKERS, "mlflow", ("json", begin))
    with pytest.raises(AutoaugError, match=r"cannot start \(nobody answers at https://me:\*\*\*@host/\?key=\*\*\*\)"):
        searched(tmp_path, "mlflow")


def test_an_unknown_tracker_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(AutoaugError, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"):
        searched(tmp_path, "tensorbord")
    assert not (tmp_path / "run").exists()


def test_a_run_is_watched_on_this_machine_alone(run: Path) -> None:
    (run / "result.json").rename(run / "aside.json")  # as if it were under way
    command = [sys.executable, "-m", "autoaug", "watch", str(run), "--every", "0.2"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert watching.stdout is not None
        address = next(word for word in watching.stdout.readline().split() if word.startswith("http://127.0.0.1"))
        address = address.rstrip(";")
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            assert b"Not finished" in answer.read()
            assert answer.headers["Refresh"]
        request = urllib.request.Request(address, headers={"Host": "elsewhere.example:80"})
        with pytest.raises(HTTPError, match="404"):
            urllib.request.urlopen(request, timeout=PATIENCE)
        request = urllib.request.Request(address, headers={"Host": "127.0.0.1"})  # as browsers write port 80
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert answer.status == 200
        (run / "aside.json").rename(run / "result.json")
        assert watching.wait(timeout=PATIENCE) == 0
    finally:
        watching.kill()
    assert "training 1 of 2: none" in watching.stdout.read()  # of those after the confirmation, too


@pytest.mark.slow
def test_ctrl_c_ends_the_watching(run: Path) -> None:
    (run / "result.json").unlink()
    command = [sys.executable, "-m", "autoaug", "watch", str(run)]
    watching = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=PATIENCE)
    assert errors == ""


@pytest.mark.parametrize("of", ["policy", "space"])
def test_schemas_describe_the_files(of: str, command: Callable[..., Ended], tmp_path: Path) -> None:
    assert json.loads(command("schema", of, folder=tmp_path).stdout)["properties"]


def test_longer_trainings_are_logged_under_their_own_name(tmp_path: Path) -> None:
    log, seen = EventLog(tmp_path / "events.jsonl"), list[str]()

    class Own(Progress):
        def training_ended(self, name: str, done: int, total: int) -> None:  # noqa: ARG002
            seen.append(name)

    Broadcast([Guarded("events", log, log), Own()]).longer_ended("none", 1, 2)
    assert [event["event"] for event in read_events(tmp_path / "events.jsonl")] == ["longer"]
    assert seen == ["none"]  # who does not tell them apart hears of it all the same


def test_a_broadcast_forwards_every_event() -> None:
    sent, received = list[tuple[object, ...]](), list[tuple[object, ...]]()

    class Recorder:
        def __getattr__(self, event: str) -> Callable[..., None]:
            return lambda *what: received.append((event, *what))

    for event, method in inspect.getmembers(Progress, inspect.isfunction):
        if not event.startswith("_"):
            sent.append((event, *list(inspect.signature(method).parameters)[1:]))
            getattr(Broadcast([Recorder(), Recorder()]), event)(*sent[-1][1:])
    assert len(sent) > 5
    assert received == [one for one in sent for _ in range(2)]


def test_trackers_are_told_of_no_trials_of_the_control_search(tmp_path: Path) -> None:
    """These are numbered from 0 again, and would be taken for those of the search."""
    seen = list[str]()

    class Own(Tracker):
        def trial_ended(self, trial: TrialSummary, fraction: float) -> None:  # noqa: ARG002
            seen.append(trial.name)

        def finished(self, result: SearchResult) -> None: ...

    guarded = Guarded("own", Own(), EventLog(tmp_path / "events.jsonl"))
    guarded.trial_ended(made_trial(name="trial-0"), 0.5)
    guarded.control_begins()
    guarded.trial_ended(made_trial(name="trial-0"), 0.75)
    assert seen == ["trial-0"]
