"""A driver that is killed at each step of a run, interrupted again and again, or not fit for its cluster."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autoaug
from autoaug.errors import Interrupted, OptionError, WorkersLost
from autoaug.results import SearchResult
from autoaug.search.executors import executors
from tests.faults.life import SEARCH, Killed, Stopping, check_weights, outcome

#: What ends a step of a run: the function, which of its calls is the last, and whether it still does its work.
HOOKS = {
    "before a trial is begun": ("autoaug.search.study.SearchStudy.begin", 4, False),
    "after a trial is begun": ("autoaug.search.study.SearchStudy.begin", 4, True),
    "in a trial": ("autoaug.training.trial._Trial.scored", 5, True),
    "before a result is recorded": ("autoaug.search.study.SearchStudy.tell", 3, False),
    "after a result is recorded": ("autoaug.search.study.SearchStudy.tell", 3, True),
    "before the confirmation": ("autoaug.pipeline.run.confirm", 1, False),
    "after the confirmation": ("autoaug.pipeline.run.confirm", 1, True),
    "before the export": ("autoaug.pipeline.run.write_outcome", 1, False),
    "after the export": ("autoaug.pipeline.run.write_outcome", 1, True),
    "before the report": ("autoaug.pipeline.run.write_report", 1, False),
}
#: One of them is quick enough to be tried each time.
QUICK = "after a trial is begun"


@pytest.mark.parametrize(
    "hook", [pytest.param(name, marks=() if name == QUICK else pytest.mark.slow) for name in HOOKS]
)
@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("driver", "killed at each step of a run")
def test_killed_at_any_step_a_run_ends_as_if_nothing_had_happened(
    hook: str, whole: SearchResult, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, last, works = HOOKS[hook]
    place, _, name = path.rpartition(".")
    owner = found(place)
    real, calls = getattr(owner, name), 0

    def dying(*arguments: Any, **words: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < last:
            return real(*arguments, **words)
        if works:
            real(*arguments, **words)
        raise Killed

    monkeypatch.setattr(owner, name, dying)
    with pytest.raises(Killed):
        autoaug.search(data, out=tmp_path / "run", **SEARCH)
    monkeypatch.setattr(owner, name, real)
    result = autoaug.resume(tmp_path / "run", trust=True)
    assert outcome(result) == outcome(whole)
    assert [(t.number, t.params, t.values) for t in result.history] == [
        (t.number, t.params, t.values) for t in whole.history
    ]
    check_weights(result)


def found(path: str) -> Any:
    """The module or class of that name."""
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("driver", "Ctrl-C after every trial and training")
def test_interrupted_after_every_trial_and_training_a_run_ends_the_same(
    whole: SearchResult, data: Path, tmp_path: Path
) -> None:
    out, stops = tmp_path / "run", [Stopping(trial=n) for n in range(len(whole.history))]
    stops += [Stopping(trainings=n) for n in range(1, sum(len(c.seeds) for c in whole.candidates))]
    with pytest.raises(Interrupted, match="autoaug resume"):
        autoaug.search(data, out=out, progress=stops[0], **SEARCH)
    for stop in stops[1:]:
        with pytest.raises(Interrupted, match="autoaug resume"):
            autoaug.resume(out, trust=True, progress=stop)
    result = autoaug.resume(out, trust=True)
    assert outcome(result) == outcome(whole)
    check_weights(result)


@pytest.mark.fault("driver", "a cluster with another version of Ray")
def test_a_cluster_of_another_version_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.10.4")

    monkeypatch.setattr(ray, "init", refuse)
    with socket.socket() as cluster:
        cluster.bind(("127.0.0.1", 0))
        cluster.listen()
        address = f"127.0.0.1:{cluster.getsockname()[1]}"
        with pytest.raises(OptionError, match="Version mismatch") as refusal, executors("ray-tune", 1, "cpu", address):
            pass
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.fault("driver", "a Ray that does not start")
def test_a_ray_that_does_not_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def fail(*_: object, **__: object) -> None:
        raise Exception("The current node timed out during startup.\nSee the logs.")  # as Ray 2 does

    monkeypatch.setattr(ray, "init", fail)
    with (
        pytest.raises(WorkersLost, match=r"node timed out.*try again") as refusal,
        executors("ray-tune", 2, "cpu", None),
    ):
        pass
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.fault("driver", "a Ray that cannot be imported")
def test_a_ray_that_cannot_be_imported_is_one_line(
    monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str], data: Path, tmp_path: Path
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "autoaug.search.executors.ray_tune", None)
    said = refused("search", str(data), "--workers", "2", "--out", "run", folder=tmp_path)
    assert "Ray" in said
    assert "--workers 1" in said
    assert not (tmp_path / "run").exists()
