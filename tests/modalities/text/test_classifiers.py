"""Classifiers of transformers are fine-tuned from their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import autoaug
from autoaug import api
from autoaug.errors import OptionError
from autoaug.modalities.text import models
from autoaug.modalities.text.tokens import as_rows, tokenized
from tests.modalities.text.test_paraphrases import SIZES, WORDS, tokenizer_of, transformers
from tests.modalities.text.writing import write_texts

TEXTS = ["a big cat sees a dog", "never a small house", "dogs", "a cat, a big cat, and never a dog"]
BLANK = torch.ones(1)


def classifier_in(folder: Path, classes: int = 3) -> Any:
    """A classifier with random weights."""
    tokenizer_of(folder)
    torch.manual_seed(1)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(**SIZES, **sizes, max_position_embeddings=32, num_labels=classes)
    model = transformers.BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    return model


def built(folder: Path, outputs: int, seed: int = 0, weights: bool = True) -> torch.nn.Module:
    name = f"transformers:{folder}"
    start = models.start(name, "pretrained", (16, 3), outputs)[0] if weights else None
    return models.build(name, (16, 3), outputs, BLANK, BLANK, seed, start).eval()


def test_outputs_are_those_of_the_library_on_the_same_texts(tmp_path: Path) -> None:
    own = classifier_in(tmp_path / "bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "bert")
    with torch.no_grad():
        given = tokenizer(TEXTS, return_tensors="pt", padding=True)
        expected = own(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits
        made = built(tmp_path / "bert", 3)(torch.from_numpy(as_rows([tokenized(text) for text in TEXTS], 16)))
    torch.testing.assert_close(made, expected)


def test_another_number_of_classes_has_a_new_head_and_the_old_body(tmp_path: Path) -> None:
    own = classifier_in(tmp_path / "bert")
    first, again, other = (built(tmp_path / "bert", 5, seed).state_dict() for seed in (0, 0, 1))
    body = "model.bert.encoder.layer.0.output.dense.weight"
    assert torch.equal(first[body], own.state_dict()[body.removeprefix("model.")])
    assert first["model.classifier.weight"].shape == (5, 16)
    assert torch.equal(first["model.classifier.weight"], again["model.classifier.weight"])
    assert not torch.equal(first["model.classifier.weight"], other["model.classifier.weight"])
    assert not torch.equal(built(tmp_path / "bert", 5, weights=False).state_dict()[body], first[body])


def test_what_is_wrong_with_a_folder_is_one_line(tmp_path: Path) -> None:
    classifier_in(tmp_path / "bert")
    name = f"transformers:{tmp_path / 'bert'}"
    with pytest.raises(OptionError, match="there is no folder"):
        models.check(f"transformers:{tmp_path / 'none'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError, match="has no model that transformers reads as a classifier"):
        models.check(f"transformers:{tmp_path / 'empty'}")
    with pytest.raises(OptionError, match="has its weights in its folder; pass --weights pretrained"):
        models.check(name, "other.safetensors")
    start, words = models.start(name, "pretrained", (16, 3), 3)
    assert "with 3 outputs" in words
    (tmp_path / "bert" / "notes.txt").write_text("another content")
    with pytest.raises(OptionError, match="has changed since the run began"):
        models.build(name, (16, 3), 3, BLANK, BLANK, 0, start)
    config = tmp_path / "bert" / "tokenizer_config.json"
    config.write_text(config.read_text().replace('"pad_token": "[PAD]"', '"pad_token": null'))
    with pytest.raises(OptionError, match="no token to pad texts with"):
        models.check(name)


@pytest.mark.slow
def test_a_run_fine_tunes_it_with_attacks_on_its_embedding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder may be named relatively: a run keeps its absolute path."""
    classifier_in(tmp_path / "bert", len(WORDS))
    data = write_texts(tmp_path / "texts")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fgm.yaml").write_text("adversarial: {kind: fgm, epsilon: 0.1, share: 0.5}")
    result = autoaug.compare(
        data,
        ["none", "fgm.yaml"],
        model="transformers:bert",
        weights="pretrained",
        epochs=1,
        seeds=2,
        workers=1,
        executor="inline",
        out="run",
    )
    assert {candidate.name for candidate in result.candidates} == {"none", "fgm.yaml"}
    assert f"transformers:{tmp_path / 'bert'}" in (tmp_path / "run/config.yaml").read_text()
    assert api.robustness(data, "run", samples=4).inputs == 4
