"""Generated data: generators, pools in training, and the commands."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import autoaug
from autoaug import api
from autoaug.data.inputs import MemoryInputs
from autoaug.data.loading import check_data
from autoaug.data.pool import Pool
from autoaug.data.splits import Samples
from autoaug.errors import DataError, OptionError, PolicyError, RunError
from autoaug.generate.fitting import FitSettings, fit_generator
from autoaug.generate.generator import load_generator
from autoaug.generate.pool import PoolSettings, make_pool, pool_counts, pool_filter
from autoaug.modalities.base import AS_SUITS, Modality
from autoaug.modalities.generators import Collapsed
from autoaug.modalities.image.generators import GENERATORS, gan, gaussian
from autoaug.modalities.registry import all_modalities
from autoaug.pipeline.searching import as_trained
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Adversarial, Policy, Regularization, Synthetic
from autoaug.results import SearchResult
from autoaug.search.sampling import sample_policy, sample_shaped
from autoaug.search.space import load_space
from autoaug.training.recipe import Recipe
from autoaug.training.result import TrialResult
from autoaug.training.trial import Train
from tests.conftest import Ended, bars, write_npz
from tests.tasks import data_set, samples, small_task, trained_weights

LIMIT = 2**30


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adversarial: {kind: pgd, epsilon: 1.5}", "above 1"),
        ("adversarial: {kind: pgd, epsilon: 0}", "greater than 0"),
        ("adversarial: {kind: magnitudes, norm: l2}", "neither norm"),
        ("adversarial: {kind: magnitudes}\nmixing: {kind: cutmix}", "cannot be combined with mixing"),
        ("synthetic: {kind: gan, share: 0.8}", "less than or equal to 0.75"),
        ("copies: 0", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parse_policy(f"format: 2\n{text}\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"adversarial": Adversarial(kind="pgd", steps=2, loss="trades")},
        {"adversarial": Adversarial(kind="pgd", steps=2, norm="l2", epsilon=0.5)},
        {"adversarial": Adversarial(kind="magnitudes", epsilon=0.2)},
        {"regularization": Regularization(weight_decay=1e-3, dropout=0.3)},
    ],
)
def test_trials_with_all_of_it_complete_and_repeat_themselves(changes: dict) -> None:
    policy = load_policy("trivialaugment").model_copy(update=changes)
    result = [list(Train(policy).run(small_task(epochs=2), 3))[-1] for _ in range(2)]
    assert result[0].status == "complete", result[0].reason
    assert result[0].score == result[1].score
    weights = [trained_weights(p, small_task(epochs=2)) for p in (load_policy("trivialaugment"), policy)]
    assert not torch.equal(*weights)


def test_a_gan_goes_on_where_it_was_interrupted() -> None:
    own, kind = samples(96, 0), GENERATORS["gan"]
    whole, parts = (kind.begin(own, 3, seed=1) for _ in range(2))
    assert list(whole.run(6, "cpu", every=4)) == [4, 6]
    assert list(parts.run(3, "cpu", every=3)) == [3]
    again = kind.begin(own, 3, seed=1)
    again.load(parts.state())
    assert list(again.run(6, "cpu", every=6)) == [6]
    for name, tensor in whole.state().items():
        torch.testing.assert_close(again.state()[name].float(), tensor.float(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 16), (16, 1), (1, 1), (16, 2), (3, 9)])
def test_a_gan_learns_images_that_are_a_few_pixels_wide(size: tuple[int, int]) -> None:
    """One pixel could not be halved, and of images two or three pixels wide the loss was not finite on some CPUs."""
    pixels = np.random.default_rng(0).integers(0, 256, (96, 3, *size), dtype=np.uint8)
    fit = GENERATORS["gan"].begin(Samples(MemoryInputs(pixels), np.arange(96) % 3), 3, seed=1)
    assert list(fit.run(3, "cpu", every=1)) == [1, 2, 3]
    made = GENERATORS["gan"].sample(fit.tensors(), np.arange(30) % 3, 0, "cpu")
    assert made.shape == (30, 3, *size)
    assert abs(made.mean() - pixels.mean()) < 20


def test_what_a_generator_learns_is_what_its_samples_come_from() -> None:
    fit = GENERATORS["gan"].begin(samples(96, 0), 3, seed=1)
    list(fit.run(2, "cpu", every=1))
    learned, labels = fit.tensors(), np.arange(6) % 3
    GENERATORS["gan"].check(learned, (1, 12, 12), 3)
    with pytest.raises(RuntimeError, match="mean does not have the shape"):
        GENERATORS["gan"].check(learned, (1, 12, 12), 4)
    made = GENERATORS["gan"].sample(learned, labels, 0, "cpu")
    assert (made.shape, made.dtype) == ((6, 1, 12, 12), np.uint8)
    other = GENERATORS["gan"].sample({**learned, "mean": learned["mean"] * 0}, labels, 0, "cpu")
    assert not np.array_equal(made, other)


@pytest.mark.parametrize("kind", ["gan", "pca"])
def test_a_generator_whose_samples_are_all_alike_has_collapsed(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_pca = gaussian.fit_pca

    def narrow(train: Samples, classes: int) -> dict[str, torch.Tensor]:
        fitted = fit_pca(train, classes)
        return {**fitted, "components": 0.01 * fitted["components"]}

    for module in (gan, gaussian):
        monkeypatch.setattr(module, "fit_pca", narrow)
    with pytest.raises(Collapsed, match="has collapsed: its samples of class"):
        fit_generator(kind, data_set(samples(96, 0)), tmp_path / "gen", FitSettings(0, steps=1))


def test_a_generator_survives_its_folder_and_makes_the_same(tmp_path: Path) -> None:
    own = samples(96, 0)
    made = fit_generator("pca", data_set(own), tmp_path / "gen", FitSettings(0))
    labels = np.arange(12) % 3
    read = load_generator(tmp_path / "gen")
    assert read.about == made.about
    np.testing.assert_array_equal(made.sample(labels, 5), read.sample(labels, 5))
    assert not np.array_equal(read.sample(labels, 5), read.sample(labels, 6))
    means = [own.inputs.take(np.flatnonzero(own.labels == k)).mean(0) for k in range(3)]
    many = read.sample(np.zeros(400, np.int64), 0)
    assert np.abs(many.mean(0) - means[0]).mean() < 12, "the mean of the class, but for what is cut at 0 and 255"


def test_a_generator_of_an_older_version_is_of_the_first_modality(tmp_path: Path) -> None:
    fit_generator("pca", data_set(samples(96, 0)), tmp_path / "gen", FitSettings(0))
    path = tmp_path / "gen/generator.json"
    about = json.loads(path.read_text())
    assert about.pop("modality") == "image"
    path.write_text(json.dumps(about))
    assert load_generator(tmp_path / "gen").about.modality == "image"


def test_generators_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    own = data_set(samples(96, 0))
    made = fit_generator("pca", own, tmp_path / "gen", FitSettings(0))
    small = Samples(MemoryInputs(own.train.inputs.take(np.arange(96))[..., :9, :9]), own.train.labels)
    with pytest.raises(DataError, match=r"makes samples of shape \[1, 12, 12\]"):
        made.check_fits(data_set(small), allow=True)
    with pytest.raises(DataError, match=r"but the data has .*sound"):
        made.check_fits(replace(own, modality="sound"), allow=True)
    with pytest.raises(DataError, match=r"fitted on other samples .*--allow generator"):
        made.check_fits(data_set(own.train, mark="0"), allow=False)
    made.check_fits(data_set(own.train, mark="0"), allow=True)
    weights = tmp_path / "gen" / "generator.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(RunError, match="is damaged, or belongs to another network"):
        load_generator(tmp_path / "gen")
    weights.unlink()
    os.mkfifo(weights)
    with pytest.raises(RunError, match="not a regular file"):
        load_generator(tmp_path / "gen")
    with pytest.raises(RunError, match="is not a generator"):
        load_generator(tmp_path)
    few = Samples(MemoryInputs(samples(12, 0).inputs.take(np.arange(12))), samples(12, 0).labels)
    with pytest.raises(DataError, match=r"class .* a gan needs at least 10 per class; use the kind pca"):
        fit_generator("gan", data_set(few), tmp_path / "few", FitSettings(0, steps=1))


class Plain(Modality):
    """A modality that has no generators."""

    name = "plain"
    register = fusions = values = loader = models = pictures = None


def test_a_modality_without_generators_goes_on_without_their_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(all_modalities(), "plain", Plain())
    own = replace(data_set(samples(96, 0)), modality="plain")
    pool = make_pool("gan", own, None, PoolSettings(0, "cpu"))
    assert pool.pool is None
    assert "unknown kind of generator for the modality 'plain' 'gan'" in pool.facts["failed"]


def test_a_search_refuses_such_a_generator_before_it_makes_a_folder(tmp_path: Path) -> None:
    data = write_npz(tmp_path / "bars.npz")
    _, known = check_data(str(data), LIMIT, AS_SUITS, (), 0)
    fit_generator("pca", replace(known, train_fingerprint="f" * 12), tmp_path / "other", FitSettings(0))
    tiny = Samples(MemoryInputs(known.train.inputs.take(np.arange(len(known.train)))[..., :9, :9]), known.train.labels)
    fit_generator("pca", replace(known, train=tiny), tmp_path / "tiny", FitSettings(0))
    _, again = check_data(str(data), LIMIT, AS_SUITS, (), 1)
    assert known.fingerprint == again.fingerprint
    fit_generator("pca", again, tmp_path / "again", FitSettings(1))
    for name, space, words in (
        ("other", "regularized", "fitted on other samples"),
        ("again", "regularized", r"or another --seed \(its own is 1\), so that its training samples may be"),
        ("tiny", "regularized", "makes samples of"),
        ("tiny", "light", "nothing in this run uses samples of a pca"),
    ):
        with pytest.raises((DataError, OptionError), match=words):
            autoaug.search(data, space=space, generator=tmp_path / name, trials=2, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def pooled(share: float, confidence: float = 0.0, data_fraction: float = 1.0) -> TrialResult:
    """A trial whose pool says that every image is of class 0."""
    task = small_task(test=True)
    made = task.train.inputs.take(np.arange(64))
    pool = Pool(Samples(MemoryInputs(made), np.zeros(64, np.int64)), np.linspace(0, 1, 64))
    policy = Policy(synthetic=Synthetic(kind="pca", share=share, confidence=confidence))
    return list(Train(policy, data_fraction).run(replace(task, pools={"pca": pool}), 0))[-1]


def test_synthetic_samples_take_their_share_of_the_batches() -> None:
    plain = list(Train(Policy()).run(small_task(test=True), 0))[-1]
    assert (pooled(0.75).validation_predictions == 0).mean() > (plain.validation_predictions == 0).mean()
    assert pooled(0.01).samples_seen == plain.samples_seen


def test_a_trial_on_a_part_of_the_data_learns_nothing_from_a_generator_that_saw_the_rest() -> None:
    cheap, plain = pooled(0.75, data_fraction=0.5), list(Train(Policy(), 0.5).run(small_task(test=True), 0))[-1]
    np.testing.assert_array_equal(cheap.validation_predictions, plain.validation_predictions)
    assert cheap.note.startswith("without generated samples")


@pytest.mark.fault("trials", "a generator that cannot be fitted")
def test_without_a_pool_a_trial_goes_on_and_says_so() -> None:
    policy = Policy(synthetic=Synthetic(kind="gan"))
    result = list(Train(policy).run(small_task(), 0))[-1]
    assert result.status == "complete"
    assert result.note == "without generated samples: the gan failed"


def test_without_a_pool_a_policy_is_not_confirmed_as_if_it_had_one() -> None:
    policy = Policy(synthetic=Synthetic(kind="gan"))
    result = list(Train(policy).run(small_task(test=True), 0))[-1]
    assert result.status == "failed"
    assert result.reason == "PolicyError: there are no generated samples: the gan failed"


def test_a_finalist_is_confirmed_as_its_trials_were_trained() -> None:
    made = Samples(MemoryInputs(small_task().train.inputs.take(np.arange(8))), np.zeros(8, np.int64))
    pools = {"pca": Pool(made, np.linspace(0, 0.5, 8))}
    had, had_none, failed = (
        Policy(synthetic=Synthetic(kind=kind, confidence=least))
        for kind, least in (("pca", 0.4), ("pca", 0.9), ("gan", 0))
    )
    assert as_trained(had, pools) == had
    assert as_trained(had_none, pools) == as_trained(failed, pools) == as_trained(Policy(), pools) == Policy()


def test_a_pool_is_made_once_and_then_read(tmp_path: Path) -> None:
    _, data = check_data(str(write_npz(tmp_path / "bars.npz")), LIMIT, AS_SUITS, (), 0)
    recipe = Recipe(epochs=4, batch_size=32)
    sample_filter = pool_filter(data, 0, "auto", recipe, "cpu")
    settings = PoolSettings(0, "cpu", cache=tmp_path / "cache")
    first, again = (make_pool("pca", data, sample_filter, settings) for _ in range(2))
    assert first.pool is not None
    assert again.pool is not None
    kept = [pooled.pool.samples.inputs.take(np.arange(5)) for pooled in (first, again) if pooled.pool]
    np.testing.assert_array_equal(*kept)
    assert sum(first.facts["sample_filter"].values()) == 2 * len(data.train)
    assert again.facts["seconds"] == first.facts["seconds"], "what fitting took is remembered"


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_a_search_keeps_to_the_rule_of_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    space = tmp_path / "space.yaml"
    space.write_text("synthetic: {kinds: [none, pca]}\nbaselines: [none, flip-crop]\n")

    def search(accept: str) -> SearchResult:
        options = {"space": space, "strategy": "random", "trials": 6, "epochs": 1, "seeds": 2, "workers": 1}
        return autoaug.search(write_npz(tmp_path / "bars.npz"), accept=accept, out=tmp_path / accept[12:], **options)

    some = search("tests.rules:not_the_first_class").generated["pca"]
    assert some["classes_after"][0] == 0 < min(some["classes_after"][1:])
    assert some["sample_filter"]["by the rule"] > 0
    none = search("tests.rules:no_image")
    assert "passed the sample filter" in none.generated["pca"]["failed"]
    assert {trial.params["synthetic"] for trial in none.history if trial.params} <= {"none"}
    with pytest.raises(OptionError, match="failed on a sample of class '0': ZeroDivisionError"):
        search("tests.rules:broken")


def test_a_pool_of_large_images_is_smaller_and_has_every_class() -> None:
    counts = np.array([50_000, 20_000, 3])
    assert pool_counts(counts, (1, 28, 28)).tolist() == [100_000, 40_000, 6]
    large = pool_counts(counts, (3, 224, 224))
    assert large.sum() * 3 * 224 * 224 <= 2**29 + 3 * 224 * 224
    assert large[2] == 1
    assert large[0] / large[1] == pytest.approx(2.5, rel=0.01)


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
@pytest.mark.fault("trials", "a generator that cannot be fitted")
def test_a_class_too_small_for_a_gan_leaves_it_out_of_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    images, labels = bars(27)
    few = write_npz(tmp_path / "few.npz", x_train=images, y_train=labels)
    result = autoaug.search(
        few, space="regularized", strategy="random", trials=11, epochs=1, seeds=2, workers=1, out=tmp_path / "run"
    )
    assert "a gan needs at least 10 per class" in result.generated["gan"]["failed"]
    assert {trial.params["synthetic"] for trial in result.history if trial.params} == {"none", "pca"}


@pytest.mark.parametrize("draw", [sample_policy, sample_shaped])
def test_a_space_searches_generated_data_with_everything_else(draw: object) -> None:
    import optuna

    space = load_space("regularized")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [draw(space, study.ask()) for _ in range(60)]
    assert {p.synthetic.kind for p in drawn if p.synthetic} >= {"pca"}
    assert all(p.regularization for p in drawn)
    assert len({p.copies for p in drawn}) > 1
    if draw is sample_policy:
        lengths = [p.adversarial.epsilon for p in drawn if p.adversarial and p.adversarial.norm == "l2"]
        assert lengths
        assert 16 * space.adversarial.epsilon[0] <= min(lengths) <= max(lengths) <= 16 * space.adversarial.epsilon[1]


@pytest.mark.parametrize(("kind", "channels"), [("pca", 2), ("pca", 4), ("gan", 6)])
def test_samples_that_files_would_lose_channels_of_are_refused_in_one_line(
    kind: str, channels: int, tmp_path: Path, refused: Callable[..., str]
) -> None:
    """With 2 or 4, they were written, and read again without the last one."""
    pixels = np.random.default_rng(0).integers(0, 256, (90, channels, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "given.npz", x=pixels, y=np.arange(90) % 2)
    steps = None if kind == "pca" else 2
    about = api.generate_fit(tmp_path / "given.npz", out=tmp_path / "gen", kind=kind, steps=steps)
    assert about.shape == (channels, 8, 8)
    words = refused("generate", "sample", "gen", "--per-class", "4", "--out", "made", folder=tmp_path)
    assert f"images with {channels} channels cannot be written as PNG files, which are read with 1 or 3" in words
    assert not (tmp_path / "made").exists()


def test_the_commands_work_from_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Callable[..., Ended], refused: Callable[..., str]
) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    write_npz(tmp_path / "bars.npz")
    assert command("generate", "fit", "bars.npz", "--kind", "pca", "--out", "gen", folder=tmp_path).code == 0
    sampled = command("generate", "sample", "gen", "--per-class", "20", "--out", "made", folder=tmp_path)
    assert "passed" in sampled.stdout, sampled.stderr
    assert len(list((tmp_path / "made").rglob("*.png"))) > 40
    few = command("generate", "sample", "gen", "--per-class", "2", "--judge", "--out", "few", folder=tmp_path)
    assert few.code == 0
    assert "measured where more than 20 pass: draw more" in few.stdout
    shutil.copytree(tmp_path / "gen", tmp_path / "moved")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn/model.safetensors").touch()
    (tmp_path / "torn/model.json").write_text('{"network"')
    about = json.loads((tmp_path / "gen/generator.json").read_text())
    (tmp_path / "moved/generator.json").write_text(json.dumps(about | {"data": str(tmp_path / "gone")}))
    for words, said in {
        ("generate", "fit", "bars.npz", "--kind", "gam", "--out", "g2"): "did you mean 'gan'?",
        ("generate", "fit", "bars.npz", "--kind", "pca", "--out", "gen"): "already holds other files",
        ("generate", "fit", "bars.npz", "--kind", "pca", "--from", "gen", "--out", "g2"): "leave out --from",
        ("generate", "sample", "made", "bars.npz", "--out", "m2"): "is not a generator",
        ("generate", "sample", "moved", "--out", "m2"): "which no longer exists: name the data after it",
        ("robustness", "bars.npz", "gen"): "has no model.safetensors",
        ("robustness", "bars.npz", "torn"): "does not name its network",
        ("expand", "bars.npz", "randaugment", "--copies", "0", "--out", "x"): "must be at least 1",
    }.items():
        assert said in refused(*words, folder=tmp_path), words
