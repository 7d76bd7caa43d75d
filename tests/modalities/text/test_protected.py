"""Words that the user protects stay under every operator, wherever texts are read: from data, in Python, in exports."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from autoaug import api
from autoaug.data.loading import open_source
from autoaug.errors import AutoaugError, OptionError, RunError
from autoaug.exporters import export_policy
from autoaug.modalities.base import Reading
from autoaug.modalities.text.protected import VARIABLE, protected_words
from autoaug.modalities.text.tokens import PROTECTED, as_rows, tokenized, words_of
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import SearchOptions
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.modalities.text.test_operators import applied
from tests.modalities.text.writing import write_table, write_texts
from tests.samples import operators_of

#: A word that has synonyms, a phrase, a sign, and Chinese.
LIST = "Cheap\ncredit card\n!\n退款\n"
TEXT = "The cheap big credit card was quickly lost! People said: a CHEAP house is happy."
STAYING = Counter(["cheap", "cheap", "credit", "card", "!"])


def listed(folder: Path, words: str = LIST) -> Path:
    path = folder / "words.txt"
    path.write_text(words, encoding="utf-8-sig")
    return path


def units(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+|[^\w\s]", text.lower()))


def staying(row: np.ndarray) -> Counter[str]:
    return Counter(word.lower() for word, flags in words_of(row) if flags & PROTECTED)


@pytest.mark.parametrize("name", operators_of("text"))
def test_no_operator_touches_the_words(name: str, tmp_path: Path) -> None:
    own = protected_words(str(listed(tmp_path)))
    given = torch.from_numpy(as_rows([tokenized(TEXT, own)], 40))
    assert staying(given[0].numpy()) == STAYING
    for seed in range(10):
        assert staying(applied(name, given, 1.0, seed)[0].numpy()) == STAYING


@pytest.mark.parametrize(
    ("text", "negation"),
    [
        ("i DONT like it", "dont"),
        ("this isn’t good", "isn’t"),
        ("mit keinem Wort", "keinem"),
        ("il n'a aucune idée", "aucune"),
        ("no me gusta nadie", "nadie"),
        ("никто не знает", "никто"),
        ("المنتج غير جيد", "غير"),
        ("不想买", "不想"),
        ("没什么用", "没什么"),
        ("我从没去", "从没"),
    ],
)
def test_negations_are_protected_as_people_write_them(text: str, negation: str) -> None:
    pytest.importorskip("rjieba")
    assert staying(as_rows([tokenized(text)], 9)[0])[negation] == 1


@pytest.mark.parametrize("name", ["PunctuationInsertion", "SynonymInsertion"])
def test_no_insertion_pushes_them_off_a_full_row(name: str) -> None:
    """Where they are last, nothing is inserted; with room before the end, as much as there is room for."""
    split = tokenized("the big small old new good bad house was quickly not good")
    last, inside = (torch.from_numpy(as_rows([split[:11], split], 11 + more)) for more in (0, 1))
    whole = last.repeat(50, 1, 1)
    assert torch.equal(applied(name, whole, 1.0), whole)
    made = applied(name, inside[:1].repeat(50, 1, 1), 1.0)
    assert all(staying(row) == Counter(["not"]) for row in made.numpy())
    assert any(words_of(row)[-1][0] == "not" for row in made.numpy()), "the place behind it was not used"


@pytest.mark.parametrize("name", ["WordDropout", "LocalShuffle", "SourceWordDeletion", "SourceSynonymReplacement"])
def test_nor_do_those_of_pairs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(listed(tmp_path)))
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(1.0, 1.0))))
    for source, target in policy.transform(seed=0)([(TEXT, "Das Haus.")] * 10):
        assert not STAYING - units(source)
        assert target == "Das Haus."


def test_the_option_reaches_the_samples_the_config_and_the_copies(tmp_path: Path) -> None:
    rows = [(TEXT, "a"), ("我要退款，房间不好", "b")] * 4 + [(TEXT + " Yes", "a"), ("好", "b")]
    data, words = write_table(tmp_path / "t.csv", rows), listed(tmp_path)
    with_words, without = (open_source(data, 2**30, Reading(protect=file)) for file in (str(words), ""))
    chinese = with_words.parts["train"].inputs.take(np.array([1]))[0]
    assert "退款" in "".join(staying(chinese))
    assert staying(without.parts["train"].inputs.take(np.array([0]))[0]) == Counter()
    config, _, _ = prepare(SearchOptions(write_texts(tmp_path / "texts"), protect=words, trials=3, workers=1))
    assert config.protect == str(words.resolve())
    assert config.reading.protect == config.protect
    deleting = Policy(layers=in_turn(Operation(operator="WordDeletion", magnitude=(1.0, 1.0))))
    api.expand(data, deleting, out=tmp_path / "more", protect=words)
    with (tmp_path / "more/data.csv").open(encoding="utf-8", newline="") as file:
        copies = [row["text"] for row in csv.DictReader(file) if row["copy"] == "1" and "credit" in row["text"]]
    assert len(copies) == 5
    assert all("cheap" in text and "CHEAP" in text for text in copies)
    with pytest.raises(RunError, match=r"another expansion.*contents"):
        api.expand(data, deleting, out=tmp_path / "more", protect=None)


EXPORTED = """
import json, policy
print(json.dumps(policy.Augment(seed=2)([%r] * 40)))
"""


def test_exported_code_keeps_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = listed(tmp_path)
    (tmp_path / "policy.py").write_text(export_policy(load_policy("eda"), "python"))
    ran = subprocess.run(
        [sys.executable, "-c", EXPORTED % TEXT],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        env={VARIABLE: str(words)},
    )
    made = json.loads(ran.stdout)
    monkeypatch.setenv(VARIABLE, str(words))
    for text in [*made, *load_policy("eda").transform(seed=0)([TEXT] * 40)]:
        assert not STAYING - units(text), text
    assert len(set(made)) > 10


@pytest.mark.parametrize("words", ["", " \n\n", None, b"caf\xe9"])
def test_a_list_that_names_nothing_is_refused(words: str | bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    if words is not None:
        path.write_bytes(words if isinstance(words, bytes) else words.encode())
    with pytest.raises(OptionError, match=r"words\.txt"):
        api.check(write_texts(tmp_path / "texts"), protect=path)


def test_samples_without_words_have_none_to_protect(tmp_path: Path) -> None:
    with pytest.raises(AutoaugError, match="'image' have no words; leave it out"):
        api.check("digits", protect=listed(tmp_path))
