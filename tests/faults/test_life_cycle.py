"""The life cycle of a run: killed anywhere, changed or damaged, it loses nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import yaml
from safetensors import safe_open

import autoaug
from autoaug.errors import OtherFormat, RunError
from autoaug.report.model_card import export_model
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder
from autoaug.utils.files import write_atomically
from tests.faults.life import SEARCH, Killed, Stopping, check_weights, outcome

pytestmark = pytest.mark.usefixtures("no_report")


@pytest.mark.fault("driver", "killed -9 at every write from the confirmation on")
def test_killed_at_any_write_from_the_confirmation_on_a_run_ends_with_all_it_should(
    whole: SearchResult, run: RunFolder, monkeypatch: pytest.MonkeyPatch, trainings: list[str]
) -> None:
    """Every file is moved to its place when it is whole: the n-th session is killed at its n-th such move."""
    # What only takes time is made small.
    monkeypatch.setattr("autoaug.pipeline.run.write_report", lambda folder: write_atomically(folder.report, "whole"))
    modules = {"policy_torchvision.py": "", "policy_kornia.py": ""}
    monkeypatch.setattr("autoaug.pipeline.policy_files.export_modules", lambda *_: modules)
    monkeypatch.setattr("autoaug.pipeline.outcome.to_bytes", lambda *_: b"")
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
@pytest.mark.fault("storage", "a damaged result")
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
@pytest.mark.fault("storage", "damaged weights")
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
@pytest.mark.fault("storage", "a damaged policy")
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


@pytest.mark.fault("driver", "a run of a newer version")
def test_a_result_of_a_newer_version_is_left_as_it_is(run: RunFolder) -> None:
    newer = run.result.read_text().replace('"format": 2', '"format": 3', 1)
    run.result.write_text(newer)
    with pytest.raises(OtherFormat, match=r"has format 3, but this autoaug reads 2; install a newer autoaug"):
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
@pytest.mark.fault("storage", "a damaged training")
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
@pytest.mark.fault("driver", "changed model, recipe or seed")
def test_a_run_does_not_go_on_with_trainings_of_another_kind(
    is_search: bool, changes: dict[str, Any], words: str, run: RunFolder, data: Path, tmp_path: Path
) -> None:
    run.result.unlink()
    (run.confirmation / "facts.json").unlink() if is_search else None  # what the study knows is enough
    edit(run, **changes)
    with pytest.raises(RunError, match=words) as refused:
        autoaug.resume(run.root, trust=True)
    assert "\n" not in str(refused.value)
    assert "begin a new run" in str(refused.value)


def edit(run: RunFolder, **changes: Any) -> None:
    config = yaml.safe_load(run.config.read_text())
    run.config.write_text(yaml.safe_dump({**config, **changes}, sort_keys=False))


@pytest.mark.fault("driver", "another network behind the same name")
def test_another_network_behind_the_same_name_is_refused(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    run.result.unlink()
    monkeypatch.setenv("TEST_WIDTH", "5")
    with pytest.raises(RunError, match="network"):
        autoaug.resume(run.root, trust=True)


def test_how_a_run_is_carried_out_may_change_and_so_may_its_length(
    whole: SearchResult, run: RunFolder, trainings: list[str]
) -> None:
    run.result.unlink()
    edit(run, memory_limit=1, command="another", trial_timeout=500.0, track=[], budget={"trainings": 4}, most_seeds=3)
    assert outcome(autoaug.resume(run.root, trust=True))[0] == outcome(whole)[0]  # type: ignore[index]
    assert trainings == []


def test_a_run_whose_facts_are_lost_goes_on(whole: SearchResult, run: RunFolder, trainings: list[str]) -> None:
    run.result.unlink()
    (run.confirmation / "facts.json").unlink()
    with sqlite3.connect(run.study) as database:
        database.execute("DELETE FROM study_user_attributes WHERE key = 'facts'")
    assert outcome(autoaug.resume(run.root, trust=True)) == outcome(whole)
    assert trainings == []


@pytest.mark.fault("storage", "damaged or foreign trials in a study")
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
    assert len({t.number for t in result.history}) == len(result.history)
    assert result.sentence == expected.sentence
    said = [json.loads(line).get("message", "") for line in (out / "events.jsonl").read_text().splitlines()]
    assert any(message.startswith("ignored 3 trials") for message in said)


def test_weights_say_whose_they_are(run: RunFolder, whole: SearchResult) -> None:
    candidate = whole.candidate(whole.returned.name)
    with safe_open(run.model, framework="pt") as file:
        assert file.metadata() == {"policy": candidate.fingerprint, "seed": str(candidate.seeds[0])}
