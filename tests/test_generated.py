"""Generated data: attacks against an independent implementation, generators, the gate with planted faults, pools in
training, and copies on disk.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import cross_entropy

from autoaug.data.images import MemoryImages
from autoaug.data.pool import Pool
from autoaug.data.sources import open_source
from autoaug.data.splits import Samples
from autoaug.errors import DataError, OptionError, PolicyError, RunError
from autoaug.expanding import expand, remake
from autoaug.generate import gan, saved
from autoaug.generate.gan import Collapsed, new_gan, train_gan
from autoaug.generate.gate import train_gate
from autoaug.generate.judge import manifold_figures
from autoaug.generate.pca import fit_pca
from autoaug.generate.pools import make_pool, pool_gate
from autoaug.generate.saved import fit_generator, load_generator
from autoaug.modalities.image.models import build_model
from autoaug.plan import draw_plan
from autoaug.policy import Adversarial, Policy, Regularisation, Synthetic, parse_policy
from autoaug.prepare import check_data
from autoaug.result import TrialResult
from autoaug.sampling import sample_policy, sample_shaped
from autoaug.space import load_space
from autoaug.training.adversarial import attack, attack_magnitudes
from autoaug.training.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from autoaug.training.recipe import Recipe
from autoaug.training.train import new_training, train
from autoaug.transform import load_policy, soft_labels
from autoaug.trial import run_trial
from tests.conftest import bars, write_npz
from tests.tasks import samples, small_task

LIMIT = 2**30


@pytest.fixture(scope="module")
def trained() -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    """A model that has learnt the bars, with images and labels that it has not seen."""
    task = small_task(epochs=8)
    training = new_training(task.model, task.train, task.classes, 0)
    for _ in train(training, Policy(), task.train, task.classes, task.recipe, 0, "cpu"):
        pass
    images = torch.from_numpy(task.validation.images.take(np.arange(48))).float() / 255
    return training.model.eval(), images, torch.from_numpy(task.validation.labels)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_fgsm_is_what_an_independent_implementation_makes(norm: str, trained: tuple) -> None:
    foolbox = pytest.importorskip("foolbox")
    model, images, labels = trained
    epsilon = 0.05 if norm == "linf" else 0.5
    ours = attack(
        model, images, soft_labels(labels, 3), Adversarial(kind="fgsm", norm=norm, epsilon=epsilon), torch.Generator()
    )
    kind = foolbox.attacks.LinfFastGradientAttack if norm == "linf" else foolbox.attacks.L2FastGradientAttack
    theirs, *_ = kind(random_start=False)(foolbox.PyTorchModel(model, bounds=(0, 1)), images, labels, epsilons=epsilon)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_pgd_is_as_strong_as_an_independent_one(norm: str, trained: tuple) -> None:
    foolbox = pytest.importorskip("foolbox")
    model, images, labels = trained
    epsilon, steps = (0.08, 20) if norm == "linf" else (1.0, 20)
    how = Adversarial(kind="pgd", norm=norm, epsilon=epsilon, steps=steps)
    ours = attack(model, images, soft_labels(labels, 3), how, torch.Generator().manual_seed(0))
    kind = foolbox.attacks.LinfPGD if norm == "linf" else foolbox.attacks.L2PGD
    theirs, *_ = kind(steps=steps)(foolbox.PyTorchModel(model, bounds=(0, 1)), images, labels, epsilons=epsilon)
    losses = [cross_entropy(model(moved), labels).item() for moved in (images, ours, theirs)]
    assert losses[1] > losses[0]
    assert losses[1] >= 0.9 * losses[2]


@given(
    kind=st.sampled_from(["fgsm", "pgd"]),
    norm=st.sampled_from(["linf", "l2"]),
    loss=st.sampled_from(["plain", "trades"]),
    epsilon=st.floats(0.001, 0.9),
    mode=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_an_attack_stays_in_its_ball_and_leaves_the_model_as_it_was(
    kind: str, norm: str, loss: str, epsilon: float, mode: bool
) -> None:
    blank = torch.zeros(1)
    model = build_model("auto", (1, 12, 12), 3, blank, blank + 1, seed=0).train(mode)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images, labels = torch.rand(6, 1, 12, 12), torch.arange(6) % 3
    how = Adversarial(kind=kind, norm=norm, loss=loss, epsilon=epsilon, steps=1 if kind == "fgsm" else 3)
    moved = attack(model, images, soft_labels(labels, 3), how, torch.Generator().manual_seed(1))
    away = (moved - images).flatten(1)
    size = away.abs().amax(1) if norm == "linf" else away.norm(dim=1)
    assert float(size.max()) <= epsilon * (1 + 1e-4) + 1e-6
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 1
    assert model.training == mode
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_adversarial_magnitudes_raise_the_loss_within_reach(trained: tuple) -> None:
    model, images, labels = trained
    plan = draw_plan(load_policy("trivialaugment"), len(images), torch.Generator().manual_seed(0))
    soft = soft_labels(labels, 3)
    how = Adversarial(kind="magnitudes", epsilon=0.3, steps=3)
    moved = attack_magnitudes(model, images, plan, soft, how)
    from autoaug.apply import apply_plan

    plain = apply_plan(plan, images)
    assert float(cross_entropy(model(moved), labels)) > float(cross_entropy(model(plain), labels))
    assert moved.shape == images.shape


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adversarial: {kind: pgd, epsilon: 1.5}", "above 1"),
        ("adversarial: {kind: pgd, epsilon: 0}", "greater than 0"),
        ("adversarial: {kind: magnitudes, norm: l2}", "neither norm"),
        ("adversarial: {kind: magnitudes}\nmixing: {kind: cutmix}", "do not go with mixing"),
        ("synthetic: {kind: gan, share: 0.8}", "less than or equal to 0.75"),
        ("copies: 0", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parse_policy(f"format: 1\n{text}\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"adversarial": Adversarial(kind="pgd", steps=2, loss="trades")},
        {"adversarial": Adversarial(kind="pgd", steps=2, norm="l2", epsilon=0.5)},
        {"adversarial": Adversarial(kind="magnitudes", epsilon=0.2)},
        {"regularisation": Regularisation(weight_decay=1e-3, dropout=0.3)},
    ],
)
def test_trials_with_all_of_it_complete_and_repeat_themselves(changes: dict) -> None:
    policy = load_policy("trivialaugment").model_copy(update=changes)
    found = [list(run_trial(policy, small_task(), 3))[-1] for _ in range(2)]
    assert found[0].status == "complete", found[0].reason
    assert found[0].accuracy == found[1].accuracy
    plain = list(run_trial(load_policy("trivialaugment"), small_task(), 3))[-1]
    assert not np.array_equal(plain.validation_predictions, found[0].validation_predictions) or (
        found[0].passes > plain.passes
    )


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_corruptions_grow_with_their_severity(name: str) -> None:
    images = torch.nn.functional.interpolate(torch.rand(8, 3, 6, 6), 32, mode="bicubic").clamp(0, 1)
    changes = [float((corrupt(images, name, severity) - images).abs().mean()) for severity in SEVERITIES]
    assert changes == sorted(changes)
    assert changes[0] > 0


def test_a_gan_goes_on_where_it_was_interrupted() -> None:
    own = samples(96, 0)
    whole, parts = (new_gan(own, 3, seed=1) for _ in range(2))
    for _ in train_gan(whole, own, 6, 1, "cpu", every=6):
        pass
    for _ in train_gan(parts, own, 3, 1, "cpu", every=3):
        pass
    again = new_gan(own, 3, seed=9)
    again.load(parts.state())
    for _ in train_gan(again, own, 6, 1, "cpu", every=6):
        pass
    for name, tensor in whole.state().items():
        torch.testing.assert_close(again.state()[name].float(), tensor.float(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["gan", "pca"])
def test_a_generator_whose_samples_are_all_alike_is_told_to_have_collapsed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrow(train: Samples, classes: int) -> dict[str, torch.Tensor]:
        found = fit_pca(train, classes)
        return {**found, "components": 0.01 * found["components"]}

    for module in (gan, saved):
        monkeypatch.setattr(module, "fit_pca", narrow)
    with pytest.raises(Collapsed, match="has collapsed: its samples of class"):
        fit_generator(kind, samples(96, 0), ("a", "b", "c"), "f" * 12, tmp_path / "gen", steps=1, seed=0)


def test_a_generator_survives_its_folder_and_makes_the_same(tmp_path: Path) -> None:
    own = samples(96, 0)
    made = fit_generator("pca", own, ("a", "b", "c"), "f" * 12, tmp_path / "gen", steps=0, seed=0)
    labels = np.arange(12) % 3
    read = load_generator(tmp_path / "gen")
    np.testing.assert_array_equal(made.sample(labels, 5), read.sample(labels, 5))
    assert not np.array_equal(read.sample(labels, 5), read.sample(labels, 6))
    means = [own.images.take(np.flatnonzero(own.labels == k)).mean(0) for k in range(3)]
    many = read.sample(np.zeros(400, np.int64), 0)
    assert np.abs(many.mean(0) - means[0]).mean() < 12, "the mean of the class, but for what is cut at 0 and 255"


def test_generators_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    made = fit_generator("pca", samples(96, 0), ("a", "b", "c"), "f" * 12, tmp_path / "gen", steps=0, seed=0)
    with pytest.raises(DataError, match=r"makes images of \(1, 12, 12\)"):
        made.check_fits((3, 12, 12), ("a", "b", "c"), "f" * 12, allow=False)
    with pytest.raises(DataError, match=r"trained on other data .*--allow generator"):
        made.check_fits((1, 12, 12), ("a", "b", "c"), "0" * 12, allow=False)
    made.check_fits((1, 12, 12), ("a", "b", "c"), "0" * 12, allow=True)
    weights = tmp_path / "gen" / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(RunError, match="is damaged, or of another network"):
        load_generator(tmp_path / "gen")
    with pytest.raises(RunError, match="is no generator"):
        load_generator(tmp_path)
    few = Samples(MemoryImages(samples(12, 0).images.take(np.arange(12))), samples(12, 0).labels)
    with pytest.raises(DataError, match=r"class .* a gan needs at least 10 a class; use the kind pca"):
        fit_generator("gan", few, ("a", "b", "c"), "f" * 12, tmp_path / "few", steps=1, seed=0)


def test_the_gate_catches_planted_faults_and_lets_real_images_pass() -> None:
    """On digits: noise, wrong labels and copies are caught, 95 % of each, at about 5 % of good ones dropped."""
    _, data = check_data("digits", LIMIT, None, (), 0)
    recipe = Recipe(epochs=20, batch_size=64)
    gate = train_gate(data.train, data.validation, data.classes, "auto", recipe, 0, "cpu")
    good = data.test.images.take(np.arange(len(data.test)))
    labels = data.test.labels
    draw = np.random.default_rng(0)
    faults = {
        "noise": (draw.integers(0, 256, good.shape, dtype=np.uint8), labels),
        "wrong labels": (good, (labels + draw.integers(1, 10, len(labels))) % 10),
        "copies": (data.train.images.take(np.arange(300)), data.train.labels[:300]),
    }
    assert (gate.judge(good, labels) != "").mean() < 0.08
    for name, (images, kinds) in faults.items():
        assert (gate.judge(images, kinds) != "").mean() >= 0.95, name
    dropped = gate.judge(good[:20], labels[:20], rule=lambda *_: False)
    assert "" not in dropped
    assert "by the rule" in dropped


def test_precision_and_recall_see_what_they_should() -> None:
    real = torch.randn(300, 8, generator=torch.Generator().manual_seed(0))
    same = torch.randn(300, 8, generator=torch.Generator().manual_seed(1))
    collapsed, far = same[:1] + 0.01 * torch.randn(300, 8), same + 20
    assert min(manifold_figures(real, same)) > 0.6
    _, recall, _, coverage = manifold_figures(real, collapsed)
    assert recall < 0.1
    assert coverage < 0.2
    assert manifold_figures(real, far)[0] == 0


def pooled(share: float, confidence: float = 0.0) -> TrialResult:
    """A trial whose pool says that every image is of class 0."""
    task = small_task()
    made = task.train.images.take(np.arange(64))
    pool = Pool(Samples(MemoryImages(made), np.zeros(64, np.int64)), np.linspace(0, 1, 64))
    policy = Policy(synthetic=Synthetic(kind="pca", share=share, confidence=confidence))
    return list(run_trial(policy, replace(task, pools={"pca": pool}), 0))[-1]


def test_synthetic_samples_take_their_share_of_the_batches() -> None:
    plain = list(run_trial(Policy(), small_task(), 0))[-1]
    assert (pooled(0.75).validation_predictions == 0).mean() > (plain.validation_predictions == 0).mean()
    assert pooled(0.01).samples_seen == plain.samples_seen


def test_without_a_pool_a_trial_goes_on_and_says_so() -> None:
    policy = Policy(synthetic=Synthetic(kind="gan"))
    found = list(run_trial(policy, small_task(), 0))[-1]
    assert found.status == "complete"
    assert found.note == "without generated samples: the gan failed"


def test_a_pool_is_made_once_and_then_read(tmp_path: Path) -> None:
    _, data = check_data(str(write_npz(tmp_path / "bars.npz")), LIMIT, None, (), 0)
    recipe = Recipe(epochs=4, batch_size=32)
    gate = pool_gate(data, 0, "auto", recipe, "cpu")
    first, again = (make_pool("pca", data, gate, 0, "cpu", cache=tmp_path / "cache") for _ in range(2))
    assert first.pool is not None
    assert again.pool is not None
    kept = [pooled.pool.samples.images.take(np.arange(5)) for pooled in (first, again) if pooled.pool]
    np.testing.assert_array_equal(*kept)
    assert sum(first.facts["gate"].values()) == 2 * len(data.train)
    assert again.facts["seconds"] == first.facts["seconds"], "what fitting took is remembered"


@pytest.mark.parametrize("draw", [sample_policy, sample_shaped])
def test_a_space_searches_generated_data_with_everything_else(draw: object) -> None:
    import optuna

    space = load_space("regularised")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [draw(space, study.ask()) for _ in range(60)]
    assert {p.synthetic.kind for p in drawn if p.synthetic} >= {"pca"}
    assert all(p.regularisation for p in drawn)
    assert len({p.copies for p in drawn}) > 1


def folder_data(root: Path) -> Path:
    for i, (image, label) in enumerate(zip(*bars(24), strict=True)):
        path = root / "train" / f"class{label}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(path)
        if i < 6:
            (root / "test" / f"class{label}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(255 - image[..., 0]).save(root / "test" / f"class{label}" / f"t{i}.png")
    return root


def csv_data(root: Path) -> Path:
    folder_data(root / "files")
    with (root / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "split", "group"))
        for path in sorted((root / "files").rglob("*.png")):
            writer.writerow((path.relative_to(root), path.parent.name, path.parent.parent.name, f"g{path.stem}"))
    return root / "data.csv"


@pytest.mark.parametrize("kind", ["folder", "csv", "npz"])
def test_expanding_keeps_the_format_and_any_copy_can_be_made_again(kind: str, tmp_path: Path) -> None:
    made_by = {"folder": folder_data, "csv": csv_data, "npz": lambda root: write_npz(root / "bars.npz")}
    (tmp_path / "given").mkdir()
    given = made_by[kind](tmp_path / "given")
    source, policy, out = open_source(given, LIMIT), load_policy("trivialaugment"), tmp_path / "out"
    done = expand(source, kind, policy, 3, out, seed=1, workers=2)
    data = {"folder": out, "csv": out / "data.csv", "npz": out / "data.npz"}[kind]
    enlarged = open_source(data, LIMIT)
    count = len(source.parts["train"])
    assert (done.originals, done.copies) == (count, 3 * count)
    assert enlarged.classes == source.classes
    assert len(enlarged.parts["train"]) == 4 * count
    assert len(enlarged.parts["test"]) == len(source.parts["test"])
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert len(lines) == 3 * count
    again = remake(source, policy, 1, 3, lines[-1]["part"])
    if kind == "npz":
        with np.load(data) as file:
            np.testing.assert_array_equal(file["x_train"][-1], again[-1].transpose(1, 2, 0))
    else:
        np.testing.assert_array_equal(np.asarray(Image.open(out / lines[-1]["file"])), again[-1][0])
    if kind == "csv":
        groups = enlarged.parts["train"].groups
        assert len(set(groups)) == count, "a copy is of the group of its original"


def test_expanding_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    source, policy = open_source(write_npz(tmp_path / "bars.npz"), LIMIT), load_policy("trivialaugment")
    expand(source, "npz", policy, 3, tmp_path / "whole", seed=1, workers=1)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expand(source, "npz", policy, 3, tmp_path / "parts", seed=1, workers=1, watch=stop)
    with (tmp_path / "parts/manifest.jsonl").open("a") as file:
        file.write('{"torn')
    expand(source, "npz", policy, 3, tmp_path / "parts", seed=1, workers=1)
    with np.load(tmp_path / "whole/data.npz") as whole, np.load(tmp_path / "parts/data.npz") as parts:
        for name in whole.files:
            np.testing.assert_array_equal(whole[name], parts[name])


def test_expanding_refuses_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, policy = open_source(write_npz(tmp_path / "bars.npz"), LIMIT), load_policy("trivialaugment")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(RunError, match="holds something else"):
        expand(source, "npz", policy, 1, tmp_path / "full", 0, 1)
    with pytest.raises(OptionError, match="--copies 0 must be at least 1"):
        expand(source, "npz", policy, 0, tmp_path / "out", 0, 1)
    with pytest.raises(OptionError, match="mixes images and labels"):
        expand(source, "npz", parse_policy("format: 1\nmixing: {kind: mixup}\n"), 1, tmp_path / "out", 0, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: os.statvfs_result((0,) * 10) and type("U", (), {"free": 10})())
    with pytest.raises(DataError, match=r"the disk has 0\.0"):
        expand(source, "npz", policy, 1, tmp_path / "out", 0, 1)
    assert not (tmp_path / "out").exists()


def test_the_commands_work_from_the_shell(tmp_path: Path) -> None:
    environment = {**os.environ, "AUTOAUG_DATA": str(tmp_path / "cache"), "COLUMNS": "160"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "autoaug", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)

    assert run("generate", "fit", "digits", "--kind", "pca", "--out", "gen").returncode == 0
    sampled = run("generate", "sample", "gen", "digits", "--per-class", "8", "--out", "made")
    assert "passed" in sampled.stdout, sampled.stderr
    assert len(list((tmp_path / "made").rglob("*.png"))) > 40
    for words, said in {
        ("generate", "fit", "digits", "--kind", "gam", "--out", "g2"): "did you mean 'gan'?",
        ("generate", "fit", "digits", "--kind", "pca", "--out", "gen"): "holds something already",
        ("generate", "sample", "made", "digits", "--out", "m2"): "is no generator",
        ("robustness", "digits", "gen"): "has no model.safetensors",
        ("expand", "digits", "randaugment", "--copies", "0", "--out", "x"): "must be at least 1",
    }.items():
        ended = run(*words)
        assert ended.returncode == 2, words
        assert said in ended.stderr, (words, ended.stderr)
        assert ended.stderr.count("\n") == 1


def test_ctrl_c_while_fitting_is_one_line_and_the_same_command_goes_on(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "autoaug",
        "generate",
        "fit",
        "digits",
        "--steps",
        "200",
        "--out",
        str(tmp_path / "g"),
    ]
    fitting = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert fitting.stdout is not None
    assert "step 10 of 200" in fitting.stdout.readline()
    fitting.send_signal(signal.SIGINT)
    _, said = fitting.communicate(timeout=60)
    assert fitting.returncode == 130
    assert said.startswith("interrupted")
    assert said.count("\n") == 1
    assert (tmp_path / "g/unfinished.safetensors").is_file()
    again = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert again.stdout is not None
    first = int(again.stdout.readline().split()[1])
    again.kill()
    again.wait()
    assert first > 10
