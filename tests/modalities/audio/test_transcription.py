"""Sounds whose text is predicted: from a manifest to a verdict, with what is refused and by which rule."""

from __future__ import annotations

import json
import runpy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

import autoaug
from autoaug import api
from autoaug.data.audit import audit
from autoaug.data.description import describe_source
from autoaug.data.labels import format_label, kind_of, strata_of
from autoaug.data.loading import check_data, open_source
from autoaug.data.texts import decode_texts
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import AutoaugError
from autoaug.modalities.audio import models
from autoaug.modalities.base import AS_SUITS
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Policy
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import load_space
from autoaug.search.strategies.portfolio import portfolio
from autoaug.training.chunks import augmented_chunks
from autoaug.training.inference import infer
from autoaug.training.layers import head_of
from autoaug.training.metrics import get_metric
from autoaug.training.recipe import Recipe
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import new_training
from autoaug.training.tasks import task_for
from autoaug.training.train import train_to_end
from autoaug.training.trial import Train
from tests.modalities.audio.sounds import RATE, melody, write_melodies, write_wav
from tests.samples import tones

LIMIT = 2**30


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_melodies(tmp_path / "melodies")


def changed(manifest: Path, *edits: tuple[str, str]) -> Path:
    text = manifest.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    manifest.write_text(text, encoding="utf-8")
    return manifest


def line_of(manifest: Path, file: str) -> str:
    return next(line for line in manifest.read_text(encoding="utf-8").splitlines() if line.startswith(f"{file},"))


def test_a_manifest_with_texts_is_read_with_room_for_slower_sounds(manifest: Path) -> None:
    changed(manifest, (line_of(manifest, "train0.wav"), 'train0.wav,"  a\u00a0 ba ",train'))
    source = open_source(manifest, LIMIT)
    train, test = source.parts["train"], source.parts["test"]
    assert kind_of(train.labels) == "transcription"
    assert source.classes == (" ", "a", "b", "c")
    assert decode_texts(train.labels)[0] == "a ba", "white space is one space"
    assert format_label(train.labels[0], source.classes) == "a ba"
    longest = max(
        int(np.flatnonzero(x[0]).max()) + 1
        for x in (*train.inputs.take(np.arange(24)), *test.inputs.take(np.arange(12)))
    )
    assert train.inputs.shape[1] == pytest.approx(1.25 * longest, rel=0.06)
    said = "\n".join(describe_source(source, audit(source)))
    assert "4 characters, of which texts are made" in said
    counts = {one: sum(text.count(one) for text in decode_texts(train.labels)) for one in " abc"}
    most = max(counts, key=lambda one: counts[one])
    assert f", {most!r} ({counts[most]})" in said, "what is rare, or written in two ways, is seen"
    _, data = check_data(str(manifest), LIMIT, AS_SUITS, ("leak", "conflict"), seed=0)
    assert len(data.train) + len(data.validation) == 24
    lengths = (data.train.labels >= 0).sum(1)
    strata = strata_of(np.tile(data.train.labels, (8, 1)))
    means = [np.tile(lengths, 8)[strata == stratum].mean() for stratum in np.unique(strata)]
    assert len(means) > 2
    assert means == sorted(means), "texts of like length are one stratum"


def test_a_sound_that_makes_all_others_long_is_reported(manifest: Path) -> None:
    write_wav(manifest.parent / "train5.wav", np.tile(melody("abc"), 20), RATE)
    source = open_source(manifest, LIMIT)
    (found,) = [words for words in source.unusual if "twice as long" in words]
    assert found.startswith(
        f"1 of 36 sounds are over twice as long as nine of ten are: all are padded to {source.rule[:3]}"
    )
    assert "train5.wav" in found


def test_what_texts_lack_is_told_with_the_file(manifest: Path) -> None:
    before = line_of(manifest, "test3.wav")
    changed(manifest, (before, "test3.wav,Ab é,test"))
    found = {finding.code: finding.message for finding in audit(open_source(manifest, LIMIT)).findings}
    assert "1 text of the test split has" in found["characters"]
    assert "'A' 'é'" in found["characters"]
    assert "test3.wav" in found["characters"]
    changed(manifest, ("test3.wav,Ab é,test", "test3.wav,,test"))
    with pytest.raises(AutoaugError, match="path and text must not be empty"):
        open_source(manifest, LIMIT)
    lines = [f"train{i}.wav,same,train" for i in range(24)]
    manifest.write_text("\n".join(["path,text,split", *lines]), encoding="utf-8")
    assert "all training samples have the same text" in api.check(manifest).refusal


@pytest.mark.parametrize(
    ("letters", "space", "is_said"), [("好再见", "", True), ("好再见", " ", False), ("дам", "", False)]
)
def test_texts_without_spaces_are_counted_better_by_characters(
    letters: str, space: str, is_said: bool, manifest: Path
) -> None:
    text = manifest.read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines()]
    table = str.maketrans(dict(zip("abc", letters, strict=True)) | {" ": space})
    lines = [f"{path},{words.translate(table)},{split}" for path, words, split in rows[1:]]
    manifest.write_text("\n".join(["path,text,split", *lines]), encoding="utf-8")
    findings = audit(open_source(manifest, LIMIT)).findings
    assert any("--metric cer" in finding.message for finding in findings) == is_said


def test_a_text_needs_a_frame_for_each_character(manifest: Path) -> None:
    changed(manifest, (line_of(manifest, "train0.wav"), f"train0.wav,{'aab' * 90},train"))
    with pytest.raises(AutoaugError, match=r"gives \d+ frames .* a training text needs 360: one per character"):
        autoaug.search(manifest, trials=1, epochs=1, allow=["conflict", "leak"])


def test_a_text_that_does_not_fit_its_sound_is_told_and_trained_around(manifest: Path) -> None:
    """As when two texts were exchanged."""
    whole = open_source(manifest, LIMIT)
    assert not whole.unusual
    longest = whole.parts["train"].inputs.shape[1]
    write_wav(manifest.parent / "train0.wav", melody("aaa")[: 8 * 512], RATE)
    fits, exceeds = "abcabcabc", "abcabcabb"  # nine stretches of 32 ms, and ten
    line = line_of(manifest, "train0.wav")
    changed(manifest, (line, f"train0.wav,{fits},train"))
    assert not open_source(manifest, LIMIT).unusual
    changed(manifest, (f"train0.wav,{fits}", f"train0.wav,{exceeds}"))
    (words,) = open_source(manifest, LIMIT).unusual
    assert words.startswith("1 of 36 sounds are too short for the network ctcnet to tell their texts: each character")
    assert words.endswith("train0.wav")
    changed(manifest, (f"train0.wav,{exceeds}", f"train0.wav,{'abc' * (longest // 512 // 3)}"))
    *_, result = Train(Policy()).run(setting(manifest), seed=0)
    assert result.status == "complete", result.reason
    assert result.score is not None
    assert np.isfinite(result.score)


def test_mixing_other_metrics_and_other_networks_are_refused(manifest: Path, tmp_path: Path) -> None:
    mixes = Policy.model_validate({"name": "mixes", "mixing": {"kind": "cutmix"}})
    with pytest.raises(AutoaugError, match="policy 'mixes' mixes by cutmix, which leaves parts of texts"):
        autoaug.compare(manifest, [mixes, "none"])
    space = tmp_path / "own.yaml"
    space.write_text("base: [{operator: Speed}]\nmixing: {kinds: [none, mixup-or-cutmix]}\n")
    with pytest.raises(AutoaugError, match="space 'own' mixes by mixup-or-cutmix"):
        autoaug.search(manifest, trials=1, space=space)
    with pytest.raises(
        AutoaugError, match=r"melnet must give outputs of shape \[2, frames, 5\] for 2 samples, not \[2, 5\]"
    ):
        autoaug.search(manifest, trials=1, model="melnet")
    with pytest.raises(AutoaugError, match=r"accuracy.* is for classification, and this is transcription"):
        autoaug.search(manifest, trials=1, metric="accuracy")
    with pytest.raises(AutoaugError, match="the accuracy under attack needs one class per sample"):
        autoaug.search(manifest, trials=1, strategy="nsga2")


def test_the_space_of_texts_mixes_whole_sounds_and_keeps_sounds_within_their_room() -> None:
    space = load_space("transcription", "audio")
    assert space.mixing.kinds == ("none", "mixup")
    assert not {"TimeCrop", "TimeShift"} & set(space.operator_names())
    shapes = list(portfolio(space))
    waves = torch.nn.functional.pad(tones(8, 1, 8000), (0, 2000))
    for shape in shapes:
        policy = sample_shaped(space, Given(shape))
        assert policy.transform(seed=0)(waves).isfinite().all()
    for name in space.baselines:
        assert load_policy(name).mixing is None
    slow = Policy.model_validate(
        {"layers": [{"sub_policies": [{"operations": [{"operator": "Speed", "magnitude": 0.6, "sign": "negative"}]}]}]}
    )
    lengths = get_modality("audio").lengths(slow.transform(seed=0)(waves))
    assert lengths is not None
    assert (lengths <= 10000).all()
    assert lengths.max() == pytest.approx(8000 * 2**0.3, rel=0.01), "the end of the slowest still fits"


@pytest.mark.parametrize("samples", [1, 300, 9000])
def test_the_network_of_texts_takes_any_length(samples: int) -> None:
    zero = torch.zeros(2)
    first, again = (models.build("ctcnet", (2, samples), 5, zero, zero, seed=1).eval() for _ in range(2))
    outputs = first(tones(3, 2, samples))
    assert outputs.shape == (3, 1 + samples // 512, 5)
    assert torch.equal(outputs, again(tones(3, 2, samples)))
    assert torch.equal(outputs, torch.zeros(3, 1 + samples // 512, 5)), "no character is preferred in any stretch"


def test_the_network_of_texts_hears_a_sound_alike_at_any_loudness_and_length_of_its_end() -> None:
    zero = torch.zeros(1)
    network = models.build("ctcnet", (1, 16000), 5, zero, zero, seed=1).eval()
    head = head_of(network)
    assert head is not None
    torch.nn.init.normal_(head.weight, std=0.1, generator=torch.Generator().manual_seed(0))  # as one that has learned
    waves = 0.1 * torch.randn(3, 1, 8192, generator=torch.Generator().manual_seed(0))
    own = network(waves)
    torch.testing.assert_close(network(0.5 * waves), own, atol=1e-3, rtol=0)
    longer = network(torch.nn.functional.pad(waves, (0, 8192)))
    torch.testing.assert_close(longer[:, : own.shape[1] - 8], own[:, :-8], atol=1e-4, rtol=1e-3)
    after = longer[:, 1 + 8192 // 512 :].softmax(2)
    assert (after[..., 0] > 0.9999).all(), "there is no character in silence after the end"
    pause = waves.clone()
    pause[..., 3000:5000] = 0
    assert (network(pause).softmax(2)[..., 0] < 0.9999).all(), "but in a pause there may be"


def setting(manifest: Path, **recipe: object) -> TrainingSetting:
    _, data = check_data(str(manifest), LIMIT, AS_SUITS, ("leak", "conflict"), seed=0)
    task = task_for(data.train.labels, data.classes)
    how = Recipe.model_validate({"epochs": 2, "batch_size": 8} | recipe)
    parts = task, data.train, data.validation, data.test, "ctcnet", how, "cpu", "audio"
    return TrainingSetting(*parts, metric=get_metric("cer", task))


def test_a_trial_is_scored_by_likelihood_and_tested_by_the_texts_it_decodes(manifest: Path) -> None:
    own = setting(manifest)
    work = Train(load_policy("specaugment-sm+speed"))
    *_, result = work.run(own, seed=0)
    assert result.status == "complete", result.reason
    assert result.test_statistics is not None
    assert result.test_predictions is not None
    texts = decode_texts(own.test.labels) if own.test else []
    assert result.test_statistics[:, 1].tolist() == [len(text) for text in texts]
    assert set(result.test_measured) == {"wer", "cer", "log-likelihood"}
    again = own.metric.statistics(result.test_predictions, own.test.labels)
    assert np.array_equal(again, result.test_statistics)
    heard = own.metric.statistics(result.validation_predictions, own.validation.labels)
    assert np.array_equal(heard, result.validation_statistics), "confirmed trainings are chosen by the user's metric"
    model = train_to_end(replace(own.plan(work.policy, 0), rungs=work.rungs)).result  # draws begin again at each rung
    waves = torch.from_numpy(own.validation.inputs.take(np.arange(len(own.validation)))) / 32768
    losses = own.task.loss(infer(model, waves, "cpu"), own.task.targets(torch.from_numpy(own.validation.labels)))
    lengths = torch.tensor([len(text) for text in decode_texts(own.validation.labels)])
    assert (losses > 0).all()
    assert result.score == pytest.approx(-float((losses * lengths).sum() / lengths.sum()), rel=2e-3), "no error rate"


MIXES = Policy(mixing=Mixing(kind="mixup", probability=0.5, alpha=0.5))


def test_mixed_sounds_are_sums_with_the_losses_of_both_texts(manifest: Path) -> None:
    plan = setting(manifest).plan(MIXES, 0)
    training, rows = new_training(plan), np.arange(len(plan.samples))
    (chunk,) = augmented_chunks(training, plan, [MIXES], iter([rows]), torch.Generator().manual_seed(0), first=0)
    assert chunk.plan is not None
    mix = chunk.plan.mix
    assert mix is not None
    weight, waves = mix.weight, chunk.given.values
    assert 0 < int((weight < 1).sum()) < len(weight)
    both = weight[:, None, None] * chunk.clean + (1 - weight)[:, None, None] * chunk.clean[mix.partner]
    torch.testing.assert_close(waves, both)
    outputs, texts = training.model.eval()(waves), plan.task.targets(torch.from_numpy(plan.samples.labels))
    expected = weight * plan.task.loss(outputs, texts) + (1 - weight) * plan.task.loss(outputs, texts[mix.partner])
    torch.testing.assert_close(plan.task.loss(outputs, chunk.targets), expected)


def test_the_own_loop_gets_the_shares_of_sounds_by_their_numbers() -> None:
    """As the documentation says, whatever the texts are."""
    transform = PolicyTransform(MIXES, seed=0, num_classes=8, modality="audio")
    mixed, share = transform(tones(8, 1, 800), torch.arange(8))
    torch.testing.assert_close(mixed, torch.einsum("ij,jct->ict", share, tones(8, 1, 800)), atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("policy", [Policy(), MIXES], ids=["none", "mixup"])
def test_melodies_are_learned(policy: Policy, tmp_path: Path) -> None:
    own = setting(write_melodies(tmp_path / "melodies", 120), epochs=30, batch_size=16)
    *_, result = Train(policy).run(own, seed=0)
    errors = own.metric.of(own.metric.statistics(result.validation_predictions, own.validation.labels))
    assert errors < 0.1, "nine of ten characters are right"


def _is_of_counts(score: float) -> bool:
    """Whether it is one small count divided by another."""
    return abs(score - float(Fraction(score).limit_denominator(1000))) < 1e-9


@pytest.mark.slow
def test_a_search_for_texts_ends_in_a_report_and_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = write_melodies(tmp_path / "melodies", 60), tmp_path / "run"
    few = {"trials": 2, "epochs": 3, "seeds": 2, "finalists": 1}
    result = autoaug.search(data, executor="inline", out=str(run), allow=["leak", "conflict"], **few)
    assert result.metric.name == "WER"
    assert result.data.task == "transcription"
    assert {candidate.name for candidate in result.candidates} >= {"none", "specaugment-sm"}
    assert (result.measured_in_trials.name, result.metric.name) == ("log-likelihood", "WER")
    assert all(set(candidate.metrics) == {"wer", "cer", "log-likelihood"} for candidate in result.candidates)
    validated = [score for candidate in result.candidates for score in candidate.validation_scores]
    assert all(map(_is_of_counts, validated)), "so many words wrong of so many"
    assert not any(_is_of_counts(trial.score) for trial in result.history if trial.score is not None)
    transcripts = result.transcripts
    assert transcripts is not None
    assert transcripts.before == "none"
    assert transcripts == autoaug.SearchResult.load(run).transcripts
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "What changed, text by text" in page
    assert "chosen by validation WER" in page
    assert "scored on the validation split by log-likelihood" in page
    assert all(f">{example.text}</td>" in page for example in transcripts.examples)
    waves = torch.from_numpy(melody("ab")).float()[None, None]
    assert runpy.run_path(str(run / "policy_torch.py"))["Augment"]()(waves).shape == waves.shape
    robust = api.robustness(data, str(run), samples=8)
    assert robust.metric.name == "WER"
    assert "white noise" in robust.corrupted
    copies = api.expand(data, "specaugment-sm", out=str(tmp_path / "copies"), copies=2)
    assert copies.copies == 120
    said = {line.split(",")[1] for line in (tmp_path / "copies/data.csv").read_text().splitlines()}
    assert said == {line.split(",")[1] for line in data.read_text().splitlines()}
    api.export_model(run, tmp_path / "model")
    about = json.loads((tmp_path / "model/model.json").read_text())
    assert (about["task"], about["network"]) == ("transcription", "ctcnet")
    assert "spelled by CTC" in (tmp_path / "model/README.md").read_text()
    write_wav(tmp_path / "sound.wav", melody("abc"), RATE)
    monkeypatch.chdir(tmp_path / "model")
    monkeypatch.setattr("sys.argv", ["inference.py", str(tmp_path / "sound.wav")])
    runpy.run_path("inference.py", run_name="__main__")
    assert set(capsys.readouterr().out) <= set("abc \n")
