"""Texts: the loss and the decoding against PyTorch and brute force, the metrics against jiwer."""

from __future__ import annotations

import itertools

import jiwer
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autoaug.data.texts import decode_texts, encode_texts, frames_needed, plain_text
from autoaug.errors import OptionError
from autoaug.training.metrics import (
    check_metric,
    get_metric,
    measured,
    metrics_of,
    recognized_words,
    statistics_of,
    trial_metric,
)
from autoaug.training.tasks import task_for
from autoaug.training.transcription import Transcription
from autoaug.training.translation import made_up

TASK = Transcription("ab")
OUTPUTS = torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LABELS = encode_texts(["ab", "a", "bb"])
#: Texts of few words of few characters, so that many edits are possible.
TEXT = st.lists(st.text("abé", min_size=1, max_size=4), max_size=6).map(" ".join)


def collapsed(path: tuple[int, ...]) -> str:
    """What a path of one index per frame spells: without repetitions, and then without frames that have none."""
    return "".join(" ab"[index] for index, _ in itertools.groupby(path) if index)


def probability(frames: torch.Tensor, text: str) -> float:
    """The sum over all paths that spell the text."""
    shares = frames.softmax(1)
    paths = itertools.product(range(3), repeat=len(frames))
    return sum(float(shares[range(len(frames)), path].prod()) for path in paths if collapsed(path) == text)


def test_the_loss_is_of_all_paths_that_spell_the_text() -> None:
    losses = TASK.loss(OUTPUTS, TASK.targets(torch.from_numpy(LABELS)))
    expected = [-np.log(probability(o, text)) / len(text) for o, text in zip(OUTPUTS, ["ab", "a", "bb"], strict=True)]
    assert losses.tolist() == pytest.approx(expected, rel=1e-5)
    smoothed = TASK.loss(OUTPUTS, TASK.targets(torch.from_numpy(LABELS)), smoothing=0.1)
    uniform = -OUTPUTS.log_softmax(2).mean((1, 2))
    torch.testing.assert_close(smoothed, 0.9 * losses + 0.1 * uniform.float(), rtol=1e-5, atol=1e-6)


def test_the_loss_of_mixed_sounds_is_that_of_both_texts_by_weight() -> None:
    weight = torch.tensor([0.3, 1.0, 0.0])
    targets = TASK.targets(torch.from_numpy(LABELS))
    losses = TASK.loss(OUTPUTS, TASK.mixed(targets, targets[[2, 0, 1]], weight)).tolist()
    texts, others = ["ab", "a", "bb"], ["bb", "ab", "a"]

    def expected(frames: torch.Tensor, text: str) -> float:
        return float(-np.log(probability(frames, text)) / len(text))

    for frames, own, other, share, loss in zip(OUTPUTS, texts, others, weight.tolist(), losses, strict=True):
        assert loss == pytest.approx(share * expected(frames, own) + (1 - share) * expected(frames, other), rel=1e-5)
    whole = TASK.loss(OUTPUTS, TASK.mixed(targets, targets, weight), smoothing=0.1)
    torch.testing.assert_close(whole, TASK.loss(OUTPUTS, targets, smoothing=0.1))


def test_a_text_without_room_adds_nothing_and_unknown_characters_are_left_out() -> None:
    outputs = OUTPUTS.float().requires_grad_()
    losses = TASK.loss(outputs, TASK.targets(torch.from_numpy(encode_texts(["ababab", "a", "xaéy"]))))
    assert losses[0] == 0
    alone = TASK.loss(outputs, TASK.targets(torch.from_numpy(encode_texts(["b", "a", "a"]))))
    assert losses[2] == alone[2]
    losses.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()
    needed = frames_needed(encode_texts(["ab", "aabb", "abcab", ""])).tolist()
    assert needed == [2, 6, 5, 0], "aabb needs one more between each pair"


def test_the_likelihood_is_that_of_all_paths_per_character() -> None:
    texts = ["ab", "aéa", "ababab"]
    scores = TASK.predict(OUTPUTS, torch.from_numpy(encode_texts(texts)))
    logs = [np.log(probability(frames, text)) for frames, text in zip(OUTPUTS, ["ab", "aa"], strict=False)]
    expected = [[logs[0], 2], [logs[1], 2], [0, 0]]
    np.testing.assert_allclose(scores[:, :2], expected, rtol=1e-5, err_msg="a text without room does not count")
    metric, labels = get_metric("log-likelihood", TASK), encode_texts(texts)
    assert metric.of(statistics_of(metric, TASK, scores, labels)) == pytest.approx(sum(logs) / 4)
    assert trial_metric(get_metric("cer", TASK), TASK) == metric, "errors are of no use on part of the data"
    odd = Transcription("a\U0001f600")
    assert decode_texts(odd.decide(odd.predict(torch.tensor([[[0.0, 0, 1]]])))) == ["\U0001f600"]


def test_decoding_is_the_best_path_and_divergence_is_zero_for_itself() -> None:
    decoded = TASK.decide(TASK.predict(OUTPUTS))
    assert decoded.shape == (3, 5)
    assert decode_texts(decoded) == [collapsed(tuple(row)) for row in OUTPUTS.argmax(2).tolist()]
    sure = torch.nn.functional.one_hot(torch.tensor([[1, 1, 0, 1, 2], [0, 3, 3, 1, 3]]), 4).float()
    spaced = Transcription("ab ")
    assert decode_texts(spaced.decide(spaced.predict(sure))) == ["aab", "a"], "no space at an end"
    torch.testing.assert_close(TASK.divergence(OUTPUTS, OUTPUTS), torch.zeros(3, dtype=torch.float64))
    assert (TASK.divergence(OUTPUTS, OUTPUTS.flip(2)) > 0).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), min_size=1, max_size=5))
def test_error_rates_are_those_of_jiwer(pairs: list[tuple[str, str]]) -> None:
    references, heard = map(list, zip(*pairs, strict=True))
    rates = {"wer": jiwer.wer(references, heard), "cer": jiwer.cer(references, heard)}
    for name, expected in rates.items():
        metric = get_metric(name, TASK)
        statistics = metric.statistics(encode_texts(heard, 40), encode_texts(references))
        assert metric.of(statistics) == pytest.approx(expected)
        parts = statistics[:1].sum(0) + statistics[1:].sum(0)
        assert metric.of(parts[None]) == pytest.approx(expected), "statistics of parts add up"


@settings(max_examples=60, deadline=None)
@given(TEXT, TEXT)
def test_recognized_words_are_in_both_texts_in_their_order(text: str, heard: str) -> None:
    words, others = text.split(), heard.split()
    found = recognized_words(words, others)
    rest = iter(others)
    assert all(word in rest for word, is_found in zip(words, found, strict=True) if is_found), "a common subsequence"
    errors = jiwer.process_words(text, heard) if words else None
    if errors is not None:
        missed = found.count(False)
        assert missed <= errors.substitutions + errors.deletions + errors.insertions, "no more than the fewest edits"
    assert recognized_words(words, words) == [True] * len(words)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_texts_of_any_script_are_their_code_points(texts: list[str]) -> None:
    codes = encode_texts(texts)
    assert codes.shape == (len(texts), max([1, *map(len, texts)]))
    assert decode_texts(codes) == texts
    assert decode_texts(encode_texts(["e\u0301 \t x"]))[0] == "e\u0301 \t x"
    assert plain_text(" e\u0301 \t\u3000x\n") == "é x"


def test_texts_are_a_task_with_metrics_of_their_own() -> None:
    task = task_for(LABELS, "ab")
    assert task == TASK
    assert list(metrics_of(task)) == ["wer", "cer", "log-likelihood"]
    scores = made_up(LABELS)
    for name, metric in metrics_of(task).items():
        check_metric(name, task, {"validation": LABELS})
        assert metric.larger_is_better == (name == "log-likelihood")
        assert measured(metric, task, scores, LABELS).influence.shape == (3,)
    with pytest.raises(OptionError, match=r"accuracy.* is for classification, and this is transcription"):
        get_metric("accuracy", task)
    with pytest.raises(OptionError, match="texts are measured by wer, cer, log-likelihood"):
        get_metric("module:function", task)


def test_word_errors_are_counted_of_any_number_of_words() -> None:
    """Of wrong words hardly one is there twice, so that a test split may have more than Unicode has code points for."""
    words = [f"w{number}" for number in range(60_000)]
    texts, turned = ([" ".join(words[k : k + 20][::step]) for k in range(0, len(words), 20)] for step in (1, -1))
    counts = get_metric("wer", TASK).statistics(encode_texts(turned), encode_texts(texts))
    assert (counts == 20).all()  # of an even number of words in reverse, no two are in place
