"""What the version before the rooms wrote is still read: a finished run, one that was killed after four of its six
trials, a generator, a policy, a search space and a plan, in ``tests/older``. Fingerprints and pixels are those that it
printed.

The studies lie there as SQL; the runs lack the report, the exported code and the weights, which are made again.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
import yaml

import autoaug
from autoaug import api
from autoaug.engine.plan import Plan
from autoaug.errors import RunError
from autoaug.generate.generator import load_generator
from autoaug.results import SearchResult
from autoaug.runs.callbacks.event_log import read_events
from autoaug.runs.folder import RunFolder
from autoaug.search.space import load_space
from autoaug.training.trial import Train
from tests.conftest import published

OLDER = Path(__file__).parent / "older"
FINGERPRINTS = {
    "none": "44136fa355b3",
    "flip-crop": "324c80e51768",
    "trial-2": "7e4f9cbb04a5",
    "random-search": "567f7e53427c",
}


def write_bars(path: Path) -> None:
    """The data of the runs, by a generator whose numbers NumPy keeps for ever."""
    draw, arrays = np.random.RandomState(0), {}
    for split, count in (("train", 72), ("test", 36)):
        labels = np.arange(count) % 3
        images = draw.randint(0, 90, (count, 12, 12, 1))
        for image, label in zip(images, labels, strict=True):
            image[4 * label : 4 * label + 4] += 110
        arrays |= {f"x_{split}": images.astype(np.uint8), f"y_{split}": labels.astype(np.int64)}
    np.savez_compressed(path, **arrays)


def restored(name: str, folder: Path) -> RunFolder:
    """A run as the older version left it, with data that lie in `folder`."""
    run = RunFolder(shutil.copytree(OLDER / name, folder / "run"))
    write_bars(folder / "bars.npz")
    run.config.write_text(run.config.read_text().replace("DATA", str(folder / "bars.npz")))
    for dump in run.root.rglob("study.sql"):
        with sqlite3.connect(dump.with_suffix(".db")) as database:
            database.executescript(dump.read_text())
        database.close()
        dump.unlink()
    return run


@pytest.fixture
def finished(tmp_path: Path) -> RunFolder:
    return restored("finished", tmp_path)


@pytest.fixture
def unfinished(tmp_path: Path) -> RunFolder:
    return restored("unfinished", tmp_path)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the policies that are trained from here on."""
    keys: list[str] = []
    real = Train.run

    def noting(self: Train, task: Any, seed: int) -> Any:
        keys.append(self.policy.name)
        return real(self, task, seed)

    monkeypatch.setattr(Train, "run", noting)
    return keys


def test_starting_again_in_its_folder_says_what_differs_and_how_it_goes_on(tmp_path: Path) -> None:
    """It noted `auto` for the network that is resolved by now."""
    folder = restored("unfinished", tmp_path)
    _, config = RunFolder.open(folder.root)
    assert config.model == "auto"
    for seed, words in ((config.seed, "exists; continue"), (7, r"another run, with seed 0 \(wanted: 7\); continue")):
        wanted = config.model_copy(update={"model": "resnet9", "seed": seed})
        with pytest.raises(RunError, match=f"{words} that run with: autoaug resume .*, or choose another"):
            RunFolder.create(folder.root, wanted)
    finished = restored("finished", tmp_path / "other")
    with pytest.raises(RunError, match=r"exists; see its report, .*report\.html, or choose another folder with --out"):
        RunFolder.create(finished.root, RunFolder.open(finished.root)[1])


def test_a_result_is_read_in_the_words_of_today() -> None:
    result = SearchResult.load(OLDER / "finished")
    assert {c.name: c.fingerprint for c in result.candidates} == FINGERPRINTS
    assert {c.name: c.policy.fingerprint() for c in result.candidates} == FINGERPRINTS
    assert [c.kind for c in result.candidates] == ["baseline", "baseline", "searched", "control"]
    assert result.comparison is not None
    assert result.comparison.baseline == "none"
    first = result.history[0]
    assert (first.data_fraction, first.seed_index, first.stop, first.sample_passes) == (0.25, 0, 1.0, 32)
    assert result.probes.keys() == {"matching", "affinity"}
    assert result.policy.provenance is not None
    assert result.policy.provenance.verdict == result.sentence


def test_a_published_result_keeps_its_fingerprints() -> None:
    result = published()
    assert [c.policy.fingerprint() for c in result.candidates] == [c.fingerprint for c in result.candidates]


def test_a_finished_run_is_reported_and_exported(finished: RunFolder, tmp_path: Path) -> None:
    page = api.report(finished.root, cdn=True).read_text(encoding="utf-8")
    assert "No significant difference" in page
    assert "trial-2" in page
    api.export(finished.root, "torchvision", out=tmp_path / "policy.py")
    assert FINGERPRINTS["none"] in (tmp_path / "policy.py").read_text()


def test_a_finished_run_is_not_run_again_and_says_so(
    finished: RunFolder, trainings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "autoaug")
    finished.model.write_bytes(b"there")
    expected = SearchResult.load(finished.root)
    assert autoaug.resume(finished.root).candidates == expected.candidates
    assert trainings == []
    assert caplog.messages == [f"{finished.root} has ended before; this is its result"]


def test_the_result_is_made_again_from_what_a_run_kept(finished: RunFolder, trainings: list[str]) -> None:
    expected = SearchResult.load(finished.root)
    finished.result.unlink()
    again = autoaug.resume(finished.root)
    arm = "none, regularized as trial-2"  # a comparison on equal terms, which older versions lacked
    assert trainings[:3] == ["none"] * 3, "the two seeds of that, and the returned policy, for its weights"
    assert trainings[3:] == ["none", "trial-2"], "twice as long, which older versions did not try"
    assert tuple(c for c in again.candidates if c.name != arm) == expected.candidates
    assert again.sentence.startswith("No significant difference")
    assert [t.fingerprint for t in again.history] == [t.fingerprint for t in expected.history]
    assert again.probes == expected.probes


@pytest.mark.fault("driver", "a run of an older version")
def test_a_killed_run_goes_on_without_what_had_ended(unfinished: RunFolder, trainings: list[str]) -> None:
    kept = [json.loads(line) for line in (OLDER / "unfinished/events.jsonl").read_text().splitlines()]
    ended = [event["trial"] for event in kept if event["event"] == "trial"]
    assert [event["trial"]["name"] for event in read_events(unfinished.events) if event["event"] == "trial"] == [
        "none",
        "flip-crop",
        "trial-2",
        "trial-3",
    ]
    result = autoaug.resume(unfinished.root)
    assert [(t.number, t.fingerprint, t.score) for t in result.history[:4]] == [
        (trial["number"], trial["fingerprint"], trial["accuracy"]) for trial in ended
    ]
    assert [t.name for t in result.history] == ["none", "flip-crop", *(f"trial-{i}" for i in range(2, 6))]
    before_control = trainings[: trainings.index("none")]
    assert before_control == ["trial-4", "trial-5"]
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{unfinished.study}")
    assert {"ColorTemperature"} == {n for t in study.trials[4:] for n in t.params if n.startswith("Colo")} - {
        "ColorTemperature.magnitude"
    }


def test_a_policy_has_the_fingerprint_that_it_had() -> None:
    policy = autoaug.load_policy(OLDER / "policy.yaml")
    assert policy.fingerprint() == "6e97e05ce610"
    assert policy.operator_names() == ["ColorTemperature"]
    assert [sub_policy.weight for sub_policy in policy.all_layers()[0].sub_policies] == [2.0, 1.0]
    assert policy.regularization is not None
    assert policy.regularization.dropout == 0.1
    assert policy.provenance is not None
    assert policy.provenance.license == "MIT"
    assert "branches" not in policy.to_yaml()


def test_a_space_means_what_it_meant() -> None:
    own = load_space("regularized")
    older = load_space(OLDER / "space.yaml")
    assert set(older.baselines) < set(own.baselines)  # practice has given more since
    assert older.model_copy(update={"name": own.name, "baselines": own.baselines}) == own


def test_a_plan_is_carried_out_as_it_was() -> None:
    plan = Plan.load(OLDER / "plan.json")
    assert str(plan).startswith("0: ColorTemperature -0.5 octaves of red over blue, Rotate -33.3 degrees")
    images = torch.arange(3 * 3 * 6 * 6.0).view(3, 3, 6, 6) / (3 * 3 * 6 * 6)
    made = autoaug.apply_plan(plan, images)
    assert made.sum().item() == pytest.approx(131.98465, abs=1e-3)
    expected = [0.0350056, 0.1527400, 0.3137737, 0.0350056, 0.1527400, 0.3137737, 0.5989556, 0.8233934, 1.0]
    assert made[:, :, 2, 3].flatten().tolist() == pytest.approx(expected, abs=1e-5)


def test_what_an_older_relaxed_plan_drew_and_did_not_apply_is_left_out(tmp_path: Path) -> None:
    content = json.loads((OLDER / "plan.json").read_text())
    content["gate"] = {"dtype": "float32", "values": [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]}
    (tmp_path / "plan.json").write_text(json.dumps(content))
    assert Plan.load(tmp_path / "plan.json").choice.tolist() == [[0, -1, 0], [1, 1, -1]]


@pytest.mark.parametrize(
    ("changes", "words"), [({"batch_counts": "samples"}, "batch counts"), ({"epochs": 3}, "epochs")]
)
def test_a_killed_run_does_not_go_on_with_another_recipe(
    changes: dict[str, Any], words: str, unfinished: RunFolder
) -> None:
    config = yaml.safe_load(unfinished.config.read_text())
    config["recipe"] |= changes
    unfinished.config.write_text(yaml.safe_dump(config))
    with pytest.raises(RunError, match=words):
        autoaug.resume(unfinished.root)


def test_a_generator_draws_what_it_drew() -> None:
    generator = load_generator(OLDER / "generator")
    assert generator.about.inputs == 54
    samples = generator.sample(np.arange(3), 5, "cpu")
    assert samples.sum(axis=(1, 2, 3)).tolist() == pytest.approx([11866, 11845, 12296], abs=144)
    assert samples[:, 0, 5, 5].tolist() == pytest.approx([13, 175, 1], abs=1)
