"""TF-IDF word replacement: its rates by the formulas of Xie et al. (2020) in plain Python; and that what it learns of
the training texts alone reaches trainings, policies and exports.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

import autoaug
from autoaug import api
from autoaug.data.inputs import MemoryInputs
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.relaxation import RelaxedPolicy
from autoaug.errors import OptionError, PolicyError
from autoaug.modalities.operators import learned_from
from autoaug.modalities.text.tokens import as_rows, tokenized, words_of
from autoaug.modalities.text.vocabulary import Vocabulary, counted
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.job import Job
from autoaug.pipeline.operators import with_operators_ready
from autoaug.pipeline.options import CompareOptions, SearchOptions
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.runs.callbacks import Logged
from autoaug.runs.folder import RunFolder
from tests.modalities.text.test_operators import rows
from tests.modalities.text.writing import write_table

NAME = "TfIdfReplacement"
CORPUS = [
    "the film was good and the cast was good",
    "the film was long",
    "a dog and a cat saw the film",
    "the bank sold the house",
    "prices of the house rose and fell",
    "a cat sleeps",
]


def learned_of(texts: Sequence[str]) -> dict[str, str]:
    return learned_from(MemoryInputs(as_rows([tokenized(text) for text in texts], 32)), [NAME])


def policy(magnitude: float) -> Policy:
    return Policy(name="tfidf", layers=in_turn(Operation(operator=NAME, magnitude=(magnitude, magnitude))))


def made(text: str, magnitude: float, n: int, texts: Sequence[str] = tuple(CORPUS), seed: int = 0) -> list[list[str]]:
    plan = draw_plan(policy(magnitude).with_learned(learned_of(texts)), n, torch.Generator().manual_seed(seed))
    return [[word for word, _ in words_of(row)] for row in apply_plan(plan, rows(*[text] * n, length=16)).numpy()]


def idf(word: str, texts: Sequence[str] = tuple(CORPUS)) -> float:
    return math.log(len(texts) / sum(word in text.split() for text in texts))


def chances(text: str, p: float) -> list[float]:
    """Appendix of the paper: min(p (C - TFIDF(x)) / Z, 1)."""
    words = text.split()
    scores = [words.count(word) / len(words) * idf(word) for word in words]
    below = [max(scores) - score for score in scores]
    return [min(p * b / (sum(below) / len(words)), 1.0) for b in below]


def drawn_chances(texts: Sequence[str]) -> dict[str, float]:
    """Likewise: (max S - S(w)) / Z', where S(w) = freq(w) IDF(w)."""
    often = Counter(word for text in texts for word in text.split())
    scores = {word: many * idf(word, texts) for word, many in often.items()}
    below = {word: max(scores.values()) - score for word, score in scores.items()}
    return {word: b / sum(below.values()) for word, b in below.items()}


@pytest.mark.parametrize("magnitude", [0.2, 0.6, 1.0])
def test_words_are_replaced_at_the_rates_of_the_paper(magnitude: float) -> None:
    text, n = CORPUS[0], 4000
    found, own = made(text, magnitude, n), drawn_chances(CORPUS)
    expected = [
        chance * (1 - own[word]) for chance, word in zip(chances(text, magnitude / 2), text.split(), strict=True)
    ]
    changed = np.mean([[a != b for a, b in zip(words, text.split(), strict=True)] for words in found], 0)
    np.testing.assert_allclose(changed, expected, atol=4 * (0.25 / n) ** 0.5)
    if magnitude < 1:
        assert np.mean(chances(text, magnitude / 2)) == pytest.approx(magnitude / 2), "where none is cut to 1"


def test_other_words_are_drawn_from_the_vocabulary_at_the_rates_of_the_paper() -> None:
    found = Counter(words[0] for words in made("the film", 1.0, 12_000))
    expected = drawn_chances(CORPUS)
    assert set(found) <= set(expected)
    for word, chance in expected.items():  # "the" tells less than "film", so that it is always replaced
        assert abs(found[word] / 12_000 - chance) < 4 * (chance * (1 - chance) / 12_000) ** 0.5 + 1e-9, word


def test_idf_is_that_of_scikit_learn_without_its_smoothing() -> None:
    theirs = TfidfVectorizer(smooth_idf=False, token_pattern=r"\S+").fit(CORPUS)
    ours = Vocabulary(learned_of(CORPUS)[NAME])
    assert set(ours.words) == set(theirs.vocabulary_)
    for word, whole in ours.idf.items():
        assert whole / 2**20 + 1 == pytest.approx(theirs.idf_[theirs.vocabulary_[word]], abs=1e-6)
    assert ours.rare / 2**20 == pytest.approx(math.log(len(CORPUS)), abs=1e-6)


def test_negations_stay_and_are_not_drawn_and_capitals_are_kept() -> None:
    texts = ["I do not like it", "never say never", "This is the House", "the house is not small"]
    assert not {"not", "never"} & set(Vocabulary(learned_of(texts)[NAME]).words)
    for words in made("The house is not small", 1.0, 500, texts):
        assert words.count("not") == 1
        assert words[0][0].isupper()
        assert words[1] != "House"


def test_a_text_whose_words_tell_the_same_stays() -> None:
    assert made("dog saw", 1.0, 50) == [["dog", "saw"]] * 50
    assert made("unknown words alone", 1.0, 50) == [["unknown", "words", "alone"]] * 50


def test_the_most_frequent_words_are_kept_of_many() -> None:
    draw = random.Random(0)
    texts = [[f"w{int(draw.paretovariate(0.7))}" for _ in range(30)] for _ in range(300)]
    within = Counter(word for text in texts for word in set(text))
    known = Vocabulary(counted(texts, most=50))
    assert len(known.words) == 50
    assert min(within[word] for word in known.words) >= sorted(within.values())[-50]
    assert known.ends[-1] == 2**32
    assert known.ends == sorted(known.ends)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n1 1 a",
        "2",
        "2\n3 3 a",
        "2\n2 1 a",
        f"2\n1 1 {'a' * 24}",
        "2\n1 a",
        f"{10**400}\n1 1 a",
        f"2\n1 {2**31} a",
    ],
)
def test_what_was_not_learned_or_is_damaged_is_said_in_one_line(text: str) -> None:
    known = policy(1.0).model_copy(update={"learned": ((NAME, text),)})
    with pytest.raises(
        OptionError, match=f"^({NAME} knows no texts|what {NAME} knows of its texts is damaged)"
    ) as said:
        known.transform(seed=0)(["a b"])
    assert "\n" not in str(said.value)


def test_what_is_learned_by_an_operator_that_learns_nothing_is_refused(tmp_path: Path) -> None:
    eda = load_policy("eda").model_copy(update={"learned": (("WordSwap", "x"),)})
    eda.save(tmp_path / "policy.yaml")
    with pytest.raises(PolicyError, match="has `learned` for WordSwap, which learns nothing; remove it"):
        load_policy(tmp_path / "policy.yaml")


def test_policies_and_plans_keep_what_was_learned(tmp_path: Path) -> None:
    known = policy(1.0).with_learned(learned_of(CORPUS))
    known.save(tmp_path / "policy.yaml")
    read = load_policy(tmp_path / "policy.yaml")
    assert read == known
    assert read.fingerprint() == policy(1.0).fingerprint()
    assert (load_policy("eda") + known).learned == known.learned
    plan = draw_plan(known, 20, torch.Generator().manual_seed(0))
    plan.save(tmp_path / "plan.json")
    given = rows(*[CORPUS[0]] * 20, length=16)
    whole = apply_plan(plan, given)
    assert torch.equal(apply_plan(Plan.load(tmp_path / "plan.json"), given), whole)
    assert torch.equal(apply_plan(plan[3:9], given[3:9]), whole[3:9])


def test_a_relaxed_policy_knows_what_was_learned() -> None:
    known = policy(1.0).with_learned(learned_of(CORPUS))
    relaxed, given = RelaxedPolicy(known, seed=0), rows(*[CORPUS[0]] * 20, length=16)
    assert relaxed.draw(4).plan.learned == dict(known.learned)
    with torch.no_grad():
        assert not torch.equal(relaxed(given), given)


class Said(Logged):
    """Collects warnings."""

    def __init__(self) -> None:
        super().__init__()
        self.warned: list[str] = []

    def warn(self, message: str) -> None:
        self.warned.append(message)


def write_split(folder: Path) -> Path:
    """Texts whose splits have words of their own."""
    for split, own in (("train", "alpha"), ("validation", "beta"), ("test", "gamma")):
        texts = [(f"{own}{i % 7} story of the {'game' if i % 2 else 'bank'} {own}{i}", str(i % 2)) for i in range(40)]
        write_table(folder / f"{split}.csv", texts)
    return folder


def test_a_run_learns_from_its_training_texts_alone(tmp_path: Path) -> None:
    data = write_split(tmp_path / "texts")
    config, found, audit = prepare(
        CompareOptions(data, ["none", policy(0.5).with_learned({NAME: "1\n1 1 secret"})], workers=1)
    )
    assert config.policies[1].learned == ()
    assert found.learned == {}
    words = set(Vocabulary(with_operators_ready(config, found, Logged())[1].learned[NAME]).words)
    assert {"alpha1", "alpha39", "game"} <= words
    assert not any(word.startswith(("beta", "gamma", "secret")) for word in words)
    jobs = [
        Job(RunFolder(tmp_path), config, replace(found, learned=known), audit, Logged())
        for known in ({}, {NAME: ""}, {NAME: "1\n1 1 a"})
    ]
    of_none, of_nothing, of_some = (job.facts()["learned"] for job in jobs)
    assert of_none is of_nothing is None
    assert of_some is not None


def test_where_there_are_no_words_to_learn_it_is_left_out_or_refused(tmp_path: Path) -> None:
    rows = [("🙂" * (1 + i % 7) + "👍🏽" * (i // 7), str(i % 2)) for i in range(49)]
    data, said = write_table(tmp_path / "emoji.csv", rows), Said()
    config, found, _ = prepare(SearchOptions(data, trials=2, workers=1))
    assert config.space is not None
    assert NAME in config.space.operator_names()
    left, _ = with_operators_ready(config, found, said)
    assert left.space is not None
    assert set(config.space.operator_names()) - set(left.space.operator_names()) == {NAME}
    assert said.warned == [f"{NAME} is left out: the training samples have nothing that it could learn"]
    why = rf"policy 'tfidf' has {NAME}, which would change nothing: the training samples have nothing"
    config, found, _ = prepare(CompareOptions(data, ["none", policy(0.5)], workers=1))
    with pytest.raises(PolicyError, match=why):
        with_operators_ready(config, found, said)
    with pytest.raises(PolicyError, match=why):
        api.expand(data, policy(0.5), out=tmp_path / "more", copies=1)


def test_expanded_texts_have_words_of_the_training_texts(tmp_path: Path) -> None:
    data = write_split(tmp_path / "texts")
    api.expand(data, policy(1.0), out=tmp_path / "more", copies=2)
    lines = (tmp_path / "more/data.csv").read_text().splitlines()
    given = {line.split(",")[0] for path in data.glob("*.csv") for line in path.read_text().splitlines()}
    new = [line.split(",")[0] for line in lines if line.split(",")[0] not in given and "story" in line]
    assert len(new) > 20
    assert not any("beta" in text or "gamma" in text for text in new)


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
def test_a_run_returns_a_policy_that_knows_its_words_and_a_module_that_has_them(tmp_path: Path) -> None:
    data, run = write_split(tmp_path / "texts"), tmp_path / "run"
    policies = [policy(0.4), policy(1.0)]
    names = [own.model_copy(update={"name": f"tfidf{i}"}) for i, own in enumerate(policies)]
    result = autoaug.compare(data, names, epochs=2, seeds=2, workers=1, out=str(run))
    assert NAME in dict(result.policy.learned)
    assert result.policy.transform(seed=0)(["the story of the game"] * 9)
    code = "import policy_python as p; print(*p.Augment(seed=0)(['alpha1 story of the game'] * 40), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=run, check=True, capture_output=True, text=True)
    assert any("alpha" in line.removeprefix("alpha1") for line in done.stdout.splitlines())
    api.resume(run)
