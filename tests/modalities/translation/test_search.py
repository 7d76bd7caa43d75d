"""From pairs to a verdict and a report; metrics against sacrebleu; the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sacrebleu
import torch

import autoaug
from autoaug import api
from autoaug.data.loading import open_source
from autoaug.data.splits import Samples
from autoaug.data.texts import decode_texts, encode_pairs, encode_texts
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError, PolicyError
from autoaug.modalities.registry import get_modality
from autoaug.modalities.translation import models
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial
from autoaug.results import SearchResult
from autoaug.training.inference import predict, predict_and_write
from autoaug.training.metrics import Bleu, ChrF, TokenLogLikelihood, check_metric, get_metric, trial_metric
from autoaug.training.recipe import Recipe
from autoaug.training.robustness import Exam, measure
from autoaug.training.state import TrainingPlan
from autoaug.training.tasks import task_for
from autoaug.training.train import train_to_end
from autoaug.training.translation import Translation, with_texts
from tests.modalities.translation.pairs import PAIRS, numbers, pairs, write_numbers, write_table

LIMIT = 2**30


@pytest.mark.slow
def test_a_search_ends_in_a_report_with_both_sides(tmp_path: Path) -> None:
    data, run = write_numbers(tmp_path / "numbers"), tmp_path / "run"
    result = autoaug.search(
        data, trials=3, epochs=3, seeds=2, workers=1, finalists=1, executor="inline", out=str(run), batch_size=32
    )
    assert result.data.task == "translation"
    assert result.metric.name == "chrF"
    assert result.measured_in_trials.name == "log-likelihood"
    assert {"none", "word-dropout"} <= {candidate.name for candidate in result.candidates}
    for candidate in result.candidates:
        assert set(candidate.metrics) == {"chrf", "bleu", "log-likelihood"}
        assert 0 < candidate.validation_mean <= 100
        assert 0 < candidate.mean <= 100
    assert all(trial.score is None or trial.score < 0 for trial in result.history)
    assert result.transcripts is not None
    assert result.transcripts.examples[0].source == "five zero zero"
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "five zero zero" in report
    assert "chosen by validation chrF" in report
    assert SearchResult.load(run).trial_metric == result.trial_metric


def test_metrics_are_those_of_sacrebleu() -> None:
    references = [target for _, target in PAIRS]
    predicted = ["Der Hund sah die Katze.", "", "Der kleine Hund sieht heute ein Haus und die Katze.", "Hello , world"]
    codes, labels = encode_texts(predicted), encode_pairs(PAIRS)
    for metric, corpus in ((ChrF(), sacrebleu.corpus_chrf), (Bleu(), sacrebleu.corpus_bleu)):
        statistics = metric.statistics(codes, labels)
        assert metric.of(statistics) == pytest.approx(corpus(predicted, [references]).score)
        assert metric.of(statistics[:2]) == pytest.approx(corpus(predicted[:2], [references[:2]]).score)
        assert metric.influence(statistics).mean() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("tokenizer", "references", "predicted"),
    [
        ("zh", ["我喜欢这家酒店，真的", "他昨天去了 Berlin"], ["我喜欢那家酒店，真的", "他昨天到了 Berlin"]),
        ("char", ["私はこのホテルが好きです", "カタカナ"], ["私はあのホテルが好きです", "カタナ"]),
        ("char", ["สวัสดีครับ"], ["สวัสดีค่ะ"]),
        ("13a", ["나는 이 호텔을 좋아해요.", "It's 3.5 (very) nice"], ["나는 이 호텔을 좋아해.", "It is 3.5 nice"]),
    ],
)
def test_bleu_counts_characters_where_no_spaces_part_words(
    tokenizer: str, references: list[str], predicted: list[str]
) -> None:
    labels = encode_pairs([("", reference) for reference in references])
    for texts in (predicted, references):
        made = Bleu().of(Bleu().statistics(encode_texts(texts), labels))
        assert made == pytest.approx(sacrebleu.corpus_bleu(texts, [references], tokenize=tokenizer).score)
    assert made == pytest.approx(100)


def test_the_influence_is_that_of_leaving_sentences_out() -> None:
    """The sum of small changes: the metric with a sentence counted twice moves as its influence says."""
    labels = encode_pairs(PAIRS * 50)
    statistics = ChrF().statistics(encode_texts(["Der kleine Hund."] * len(labels)), labels)
    influence, n = ChrF().influence(statistics), len(statistics)
    twice = ChrF().of(np.concatenate([statistics, statistics[:1]])) - ChrF().of(statistics)
    assert twice == pytest.approx(influence[0] / n, rel=0.05)


def test_trials_are_scored_by_likelihood_and_metrics_are_checked() -> None:
    task = Translation(("a", "b"))
    assert isinstance(trial_metric(get_metric("chrf", task), task), TokenLogLikelihood)
    labels = encode_pairs(PAIRS)
    for name in ("chrf", "bleu", "log-likelihood"):
        check_metric(name, task, {"test": labels})
    with pytest.raises(OptionError, match="'wer' is for transcription, and this is translation"):
        get_metric("wer", task)
    with pytest.raises(OptionError, match="texts are measured by chrf, bleu, log-likelihood"):
        get_metric("own:metric", task)


def test_scores_carry_texts_of_any_script() -> None:
    scores = with_texts(np.zeros((2, 2), np.float32), ["a\U0001f600", ""])
    assert decode_texts(Translation(()).decide(scores)) == ["a\U0001f600", ""]
    assert decode_texts(Translation(()).decide(scores[:, :2])) == ["", ""]


def network(outputs: int, seed: int = 0) -> models.GRUAttention:
    made = models.build("auto", (4, 40, 3), outputs, torch.ones(4), torch.ones(4), seed)
    assert isinstance(made, models.GRUAttention)
    return made.eval()


def test_the_network_tells_likelihoods_of_what_it_reads_and_writes() -> None:
    given = pairs(8)
    outputs = int(models.targets_of(given).max()) + 1
    first, again = (network(outputs)(given).detach() for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, network(outputs, 1)(given))
    task = Translation(tuple("x" * (outputs - 1)))
    scores = task.predict(first)
    lengths = (given[:, 2, :, 0] != 0).sum(1) + 1
    assert scores[:, 1].tolist() == lengths.tolist()
    torch.testing.assert_close(
        task.loss(first, task.targets(torch.zeros(8))), torch.tensor(-scores[:, 0] / scores[:, 1])
    )
    uniform = torch.full((1, 3), -np.log(5.0))
    even = models.log_likelihoods(torch.zeros(3, 5), torch.tensor([[1, 4, 0, -1]]))
    torch.testing.assert_close(even[:, :3, 0], uniform.float())
    torch.testing.assert_close(even[:, :3, 1], uniform.float())
    assert not even[:, 3].any()


def test_sources_are_read_in_both_directions_as_torch_reads_them_without_padding() -> None:
    given = pairs(4)
    model = network(int(models.targets_of(given).max()) + 1)
    width = model.onward.hidden_size
    oracle = torch.nn.GRU(model.onward.input_size, width, batch_first=True, bidirectional=True)
    backward = {f"{name}_reverse": weight for name, weight in model.backward.state_dict().items()}
    oracle.load_state_dict({**model.onward.state_dict(), **backward})
    made, away, _ = model.encoded(given)
    for row, pair in enumerate(given):
        length = int((pair[0, :, 0] != 0).sum())
        expected = oracle(model.source(pair[:1, :length]))[0]
        torch.testing.assert_close(made[row : row + 1, :length], expected)
        assert away[row].tolist() == [place >= length for place in range(away.shape[1])]


def test_a_pair_does_not_depend_on_its_neighbors_or_the_end() -> None:
    """The likelihood of a pair alone is the same, and what comes later does not change a token's."""
    given = pairs(4)
    outputs = int(models.targets_of(given).max()) + 1
    model = network(outputs)
    whole, alone = model(given), model(given[1:2])
    torch.testing.assert_close(whole[1:2, : alone.shape[1]], alone, atol=1e-5, rtol=1e-4)
    changed = given.clone()
    changed[0, 2, 5, 2] = 1 + changed[0, 2, 5, 2] % (outputs - 1)
    torch.testing.assert_close(model(changed)[0, :5], whole[0, :5], atol=1e-5, rtol=1e-4)
    assert not torch.equal(model(changed)[0, 6:], whole[0, 6:])


@pytest.mark.slow
def test_the_proxy_learns_pairs(tmp_path: Path) -> None:
    rows = numbers(100, 450)
    write_table(tmp_path / "train.tsv", [row for i, row in enumerate(rows) if i % 7], ("source", "target"))
    write_table(tmp_path / "test.tsv", rows[::7], ("source", "target"))  # none is in the training data
    source = open_source(tmp_path, LIMIT)
    train, test = (source.parts[role] for role in ("train", "test"))
    task = task_for(train.labels, source.classes)
    assert isinstance(task, Translation)
    samples = Samples(train.inputs, train.labels, None)
    recipe = Recipe(epochs=40, batch_size=32, optimizer="adamw", learning_rate=3e-3, schedule="warmup-cosine")
    plan = TrainingPlan(
        policy=load_policy("none"), model="auto", task=task, samples=samples, recipe=recipe, seed=0, device="cpu",
        modality="translation",
    )  # fmt: skip
    model = train_to_end(plan).result
    scores = predict_and_write(model, task, test.inputs, "cpu", "translation")
    assert np.allclose(scores[:, :2], predict(model, task, Samples(test.inputs, test.labels), "cpu", "translation"))
    assert ChrF().of(ChrF().statistics(task.decide(scores), test.labels)) > 80
    assert get_modality("translation").models.resolve("auto", (4, 9, 3))[0] == "gru-attention"


def test_a_policy_that_only_mixes_is_of_what_it_mixes() -> None:
    mixing = load_policy("concatenation").transform(seed=0)
    assert mixing.modality == "translation"
    given = [(f"one {i}", f"uno {i}") for i in range(40)]
    made = mixing(given)
    joined = [pair for pair in made if pair not in given]
    assert 8 < len(joined) < 32, "about half of them"
    for source, target in joined:
        assert source.replace("one", "uno") == target
        assert source.split()[::2] == ["one", "one"]
    with pytest.raises(PolicyError, match="no mixing 'concatenation' for samples of the modality 'image'"):
        PolicyTransform(load_policy("concatenation"), modality="image")
    assert load_policy("mixup").transform().modality == "image"


@pytest.mark.slow
def test_the_robustness_of_a_model_of_pairs_is_in_chrf(tmp_path: Path) -> None:
    data, run = write_numbers(tmp_path / "numbers", 60, 24), tmp_path / "run"
    few = {"epochs": 2, "seeds": 2, "max_seeds": 2, "workers": 1}
    autoaug.compare(data, ["none", "word-dropout"], **few, executor="inline", out=run)
    robust = api.robustness(data, run, samples=8)
    assert (robust.metric.name, robust.inputs) == ("chrF", 8)
    assert all(0 <= score <= 100 for score in (robust.clean, robust.attacked, *robust.corrupted["keyboard"]))
    assert "ChrF under common corruptions" in (run / "report.html").read_text(encoding="utf-8")
    with pytest.raises(OptionError, match="--norm l2: the attack on translation data is worst-of, which has no norm"):
        api.robustness(data, run, norm="l2")


def test_an_exam_of_pairs_writes_translations(tmp_path: Path) -> None:
    """The score of unchanged pairs is the metric of what the model writes."""
    part = open_source(write_numbers(tmp_path / "n", 60, 12), LIMIT)
    task, test = Translation(part.classes), part.parts["test"]
    zero = torch.zeros(4)
    model = models.build("auto", test.inputs.shape, task.outputs, zero, zero, seed=0)
    samples = Samples(test.inputs, test.labels)
    translation = get_modality("translation")
    how = Adversarial(kind="worst-of", epsilon=0.5, steps=2)
    exam = Exam(task, translation, "cpu", how, ("keyboard",), ChrF())
    robust = measure(model, samples, np.arange(12), exam)
    scores = predict_and_write(model, task, test.inputs, "cpu", "translation")
    own = ChrF().of(ChrF().statistics(task.decide(scores), test.labels))
    assert robust.clean == pytest.approx(own)
    assert "of the source" in robust.attack


def test_pairs_are_expanded_into_a_table(tmp_path: Path) -> None:
    given = write_numbers(tmp_path / "numbers", 30, 10)
    dropping = load_policy("word-dropout").model_copy(update={"name": "x"})
    api.expand(given, dropping, copies=2, out=tmp_path / "more")
    again = open_source(tmp_path / "more", LIMIT)
    train = again.parts["train"]
    assert again.modality == "translation"
    assert (len(train), len(train.originals), len(again.parts["test"])) == (90, 30, 10)
    both = list(zip(decode_texts(train.labels[:, 0]), decode_texts(train.labels[:, 1]), strict=True))
    assert both[:30] == numbers(100, 130)
    assert [target for _, target in both[30:60]] == [target for _, target in both[:30]]
    assert any("_" in source for source, _ in both[30:])
    assert train.groups is not None
    assert train.groups[30] == train.groups[0] == train.groups[60]
    with pytest.raises(OptionError, match="need validation and test splits"):
        api.expand(given, "concatenation", out=tmp_path / "joined")
    write_table(given / "val.tsv", numbers(200, 210), ("source", "target"))
    api.expand(given, "concatenation", out=tmp_path / "joined")
    joined = open_source(tmp_path / "joined", LIMIT).parts["train"].labels[30:, 1]
    assert any(len(target.split()) == 6 for target in decode_texts(joined))
