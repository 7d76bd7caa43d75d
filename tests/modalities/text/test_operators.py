"""Operators on texts: their contract, and how many words change, in closed form and as nlpaug has it."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import autoaug
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import AutoaugError
from autoaug.functional import noise
from autoaug.modalities.operators import get_operator
from autoaug.modalities.text.bits import bits_at, flags_of, has, keys_of, lengths_of, random_bits
from autoaug.modalities.text.letters import Letters
from autoaug.modalities.text.lexicon import all_groups
from autoaug.modalities.text.segmentation import Patterns, segments
from autoaug.modalities.text.tokens import PROTECTED, as_rows, text_of, tokenized, words_of
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Mixing, Operation, Policy, in_turn
from tests.modalities.text.writing import TEXTS, learned, tokens
from tests.samples import operators_of

OPERATORS = list(operators_of("text"))
LETTERS = [name for name in OPERATORS if get_operator(name).family == "letters" and name != "Homophone"]


def applied(name: str, given: torch.Tensor, magnitude: float, seed: int = 0) -> torch.Tensor:
    n = len(given)
    uniforms = torch.rand(1, n, 4, generator=torch.Generator().manual_seed(seed))
    choice = torch.zeros(1, n, dtype=torch.long)
    return apply_plan(Plan((name,), choice, torch.full((1, n), magnitude), uniforms, learned=learned()), given)


def rows(*texts: str, length: int = 128) -> torch.Tensor:
    return torch.from_numpy(as_rows([tokenized(text) for text in texts], length))


def words(row: torch.Tensor) -> list[str]:
    return [word for word, _ in words_of(row.numpy())]


@pytest.mark.parametrize("name", OPERATORS)
def test_the_contract_holds(name: str) -> None:
    """Magnitude 0 is the identity; the input stays; the output repeats, does not depend on neighbors, has padding at
    the end alone, and is never empty.
    """
    given = tokens()
    before = given.clone()
    assert torch.equal(applied(name, given, 0.0), given)
    seen = False
    for seed in range(3):
        for magnitude in (0.3, 1.0):
            made = applied(name, given, magnitude, seed)
            assert made.shape == given.shape
            assert made.dtype == torch.int64
            assert torch.equal(made, applied(name, given, magnitude, seed))
            uniforms = torch.rand(1, 8, 4, generator=torch.Generator().manual_seed(seed))[:, 2:3]
            drawn = torch.zeros(1, 1).long(), torch.full((1, 1), magnitude), uniforms
            plan = Plan((name,), *drawn, learned=learned())
            assert torch.equal(apply_plan(plan, given[2:3]), made[2:3])
            there = made[..., 0] != 0
            assert bool((there[:, 1:] <= there[:, :-1]).all())
            assert bool((lengths_of(made) > 0).all())
            assert "�" not in "".join(text_of(row) for row in made.numpy()), "a character was cut"
            seen |= not torch.equal(made, given)
    assert seen, "nothing changes at magnitude 1"
    assert torch.equal(given, before)


@pytest.mark.parametrize("name", OPERATORS)
def test_negations_stay(name: str) -> None:
    given = rows(
        "I do not like it and never will, because nothing here isn't bad.",
        "我不喜欢它，也没有人推荐。",
        "لا أحب القهوة",
        "Мне это не нравится",
    )
    for seed in range(20):
        made = applied(name, given, 1.0, seed)
        for before, after in zip(given, made, strict=True):
            protected = Counter(w for w, flags in words_of(before.numpy()) if flags & PROTECTED)
            assert protected
            assert Counter(w for w, flags in words_of(after.numpy()) if flags & PROTECTED) == protected


@pytest.mark.parametrize("name", OPERATORS)
def test_words_of_more_bytes_than_a_token_has_stay_whole(name: str) -> None:
    """They are tokens side by side, as Russian words of 12 letters are."""
    long = ("обслуживание", "प्रधानमंत्री")
    given = rows(*(f"big {word} prices, small {word} fell quickly: {word}!" for word in long), *long)
    for seed in range(20):
        for word, row in zip(2 * long, applied(name, given, 0.7, seed), strict=True):
            made = text_of(row.numpy())
            assert made
            assert set(re.findall(r"[^\x00-\x7f]+", made)) <= {word}


def test_bits_are_those_of_other_modalities() -> None:
    uniforms = torch.rand(9, 4, generator=torch.Generator().manual_seed(0))
    expected, bits = noise.random_bits(uniforms, 50), random_bits(uniforms.numpy(), 50)
    assert bits.tolist() == expected.tolist()
    places = np.array([0, 49, 50, 449])
    assert bits_at(uniforms.numpy(), 50, places).tolist() == expected.flatten()[places].tolist()


#: A text of 40 words without negations, all of which have synonyms here.
FORTY = " ".join(["big price small film quickly money house happy story problem"] * 4)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.2, 0.5])
def test_as_many_words_change_as_eda_defines(alpha: float) -> None:
    """Wei and Zou (2019): n = max(1, int(alpha * l)) words are replaced, inserted or swapped in pairs."""
    given = rows(*[FORTY] * 50)
    n, before = max(1, int(alpha * 40)), words(given[0])
    limit = get_operator("WordSwap").limit
    replaced = applied("SynonymReplacement", given, alpha / limit)
    inserted, swapped = applied("SynonymInsertion", given, alpha / limit), applied("WordSwap", given, alpha / limit)
    for new, more, other in zip(replaced, inserted, swapped, strict=True):
        assert sum(a != b for a, b in zip(before, words(new), strict=True)) == n
        assert len(words(more)) == 40 + n
        assert not Counter(before) - Counter(words(more)), "all words are still there"
        assert Counter(words(other)) == Counter(before)
    moved = (keys_of(swapped) != keys_of(given)).sum(1)
    assert int(moved.max()) <= 2 * n
    assert float(moved.float().mean()) > 1.6 * n, "a tenth of the pairs are of equal words"
    deleted = 40 - lengths_of(applied("WordDeletion", given, alpha / limit)).float()
    assert abs(float(deleted.mean()) - 40 * alpha) < 4 * (40 * alpha * (1 - alpha) / 50) ** 0.5


def test_aeda_inserts_up_to_a_third_of_the_words() -> None:
    """Karimi et al. (2021): from 1 sign to a third of the words, each before a word, of six."""
    given = rows(*[FORTY] * 400)
    plan = draw_plan(load_policy("aeda"), 400, torch.Generator().manual_seed(0))
    made = [words(row) for row in apply_plan(plan, given)]
    counts = {len(own) - 40 for own in made}
    assert min(counts) == 1
    assert max(counts) == 13
    signs = Counter(word for own in made for word in own if not word[0].isalpha())
    assert set(signs) == set(".;?:!,")
    assert all([word for word in own if word[0].isalpha()] == FORTY.split() for own in made)


def test_spans_and_sentences_move_as_wholes() -> None:
    text = "One two three. Four five six! Seven eight? 九十。"
    given = rows(*[text] * 40)
    parts = re.findall(r"[^.!?。]+[.!?。]", text)
    orders = set()
    for row in applied("SentenceShuffle", given, 1.0):
        found = re.findall(r"[^.!?。]+[.!?。]", text_of(row.numpy()))
        assert sorted(part.strip() for part in found) == sorted(part.strip() for part in parts)
        orders.add(tuple(found))
    assert len(orders) > 10
    for row in applied("SpanCutout", rows(*[FORTY.replace(" ", " x ")] * 20), 0.5):
        left = words(row)
        assert len(left) == 79 - 19
        joined = FORTY.replace(" ", " x ").split()
        assert any(joined[:i] + joined[i + 19 :] == left for i in range(61))


@pytest.mark.parametrize("name", LETTERS)
def test_letters_change_once_within_words(name: str) -> None:
    given = rows("every second person usually writes correct english words")
    before = words(given[0])
    changed = 0
    for seed in range(30):
        for a, b in zip(before, words(applied(name, given, 1.0, seed)[0]), strict=True):
            if a == b:
                continue
            changed += 1
            if name == "CaseChange":
                assert b == a.upper()
                continue
            assert (a[0], a[-1]) == (b[0], b[-1])
            different = [i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y]
            if name == "LetterDeletion":
                assert any(a[:i] + a[i + 1 :] == b for i in range(1, len(a) - 1))
            elif name == "LetterSwap":
                i, j = different
                assert (j - i, a[i], a[j]) == (1, b[j], b[i])
            else:
                (i,) = different
                known = Letters.keyboard if name == "KeyboardTypo" else Letters.scanned
                assert b[i] in known[a[i]]
    assert changed > 30


@pytest.mark.skipif(importlib.util.find_spec("nlpaug") is None, reason="nlpaug is not installed")
def test_nlpaug_makes_changes_of_the_same_kind() -> None:
    """Its operators, at the same share of the words: as many words change, within the words that may."""
    import nlpaug.augmenter.char as nac
    import nlpaug.augmenter.word as naw

    given = rows(*[FORTY] * 30)
    before = FORTY.split()
    theirs = {
        "WordDeletion": naw.RandomWordAug(action="delete", aug_p=0.25, aug_max=None),
        "WordSwap": naw.RandomWordAug(action="swap", aug_p=0.25, aug_max=None),
        "KeyboardTypo": nac.KeyboardAug(
            aug_word_p=0.25, aug_char_max=1, aug_word_max=None, include_special_char=False, include_numeric=False,
            include_upper_case=False, min_char=4,
        ),
    }  # fmt: skip
    for name, augmenter in theirs.items():
        other = [augmenter.augment(FORTY)[0].split() for _ in range(30)]
        own = [words(row) for row in applied(name, given, 0.5)]
        if name == "WordDeletion":
            ours, their = np.mean([40 - len(w) for w in own]), np.mean([40 - len(w) for w in other])
        else:
            ours, their = (
                np.mean([sum((Counter(before) - Counter(w)).values()) for w in made]) for made in (own, other)
            )
        assert abs(ours - their) <= 2.5, name


def test_homophones_are_replaced_as_often_as_asked() -> None:
    text = " ".join(["their hour was knight for the big", "house and 在"] * 4)
    given, before = rows(*[text] * 30), text.split()
    for alpha, many in ((0.02, 1), (0.25, 10), (0.5, 20)):
        for row in applied("Homophone", given, 2 * alpha):
            changed = [(a, b) for a, b in zip(before, words(row), strict=True) if a != b]
            assert len(changed) == many
            assert all(
                {a, b} <= {"their", "there", "hour", "our", "knight", "night", "for", "four", "在", "再"}
                for a, b in changed
            )


def test_synonyms_keep_capitals_and_the_lexicon_is_the_users(tmp_path: pytest.TempPathFactory) -> None:
    made = text_of(applied("SynonymReplacement", rows("Cheap"), 0.5)[0].numpy())
    assert made[0].isupper()
    assert made != "Cheap"


@settings(max_examples=25)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(0, 10**6), st.floats(0, 1, width=32))
def test_any_text_goes_through_all_operators(texts: list[str], seed: int, magnitude: float) -> None:
    policy = Policy(layers=in_turn(*(Operation(operator=name, magnitude=(magnitude,) * 2) for name in OPERATORS)))
    made = policy.with_learned(learned()).transform(seed=seed)(texts)
    assert isinstance(made, list)
    assert len(made) == len(texts)
    assert all(isinstance(text, str) and "\0" not in text for text in made if text not in texts)
    still = policy.model_copy(update={"layers": ()})
    assert autoaug.draw_plan(still, 1, torch.Generator(), "text") is not None


@given(st.text(max_size=200))
def test_tokens_keep_the_text(text: str) -> None:
    """In NFC, and with single spaces; each token is whole UTF-8."""
    row = as_rows([tokenized(text)], 1024)[0]
    import unicodedata

    clean = unicodedata.normalize("NFC", text).replace("\0", "�").encode(errors="replace").decode()
    assert text_of(row) == " ".join(clean.split())


@pytest.mark.parametrize(
    "name", [name for name in OPERATORS if get_operator(name).kind == "edits"] + ["SynonymInsertion"]
)
def test_no_operator_makes_one_word_of_two(name: str) -> None:
    text = 'Many (very big) dogs/cats are "slow and kind"; ask @anna #happy now'
    listed = " ".join(word for group in all_groups() for word in group) if name == "SynonymInsertion" else ""
    known = set(re.findall("[a-z]+", f"{text} {listed}".lower()))
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(0.5, 1.0))))
    made = policy.transform(seed=0)([text] * 60)
    assert len(set(made)) > 1 or name == "SentenceShuffle"
    assert [word for other in made for word in re.findall("[a-z]+", other.lower()) if word not in known] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Просмотрел «дважды» (замечательный) фильм", {"Просмотрел", "дважды", "замечательный", "фильм"}),
        (
            "Der Donaudampfschifffahrtsgesellschaftskapitän: (gut)",
            {"Der", "Donaudampfschifffahrtsgesellschaftskapitän", "gut"},
        ),
        ("internationalizations(really)ok", {"internationalizations", "really", "ok"}),
    ],
)
def test_long_words_stay_whole_and_join_no_others(text: str, words: set[str]) -> None:
    policy = Policy(layers=in_turn(Operation(operator="PunctuationDeletion", magnitude=1.0)))
    made = policy.transform(seed=0)([text] * 60)
    assert {word for other in made for word in re.findall(r"\w+", other)} == words
    assert any(not re.findall(r"[^\w\s]", other) for other in made)


def test_graphemes_are_whole_and_words_of_each_script_are_found() -> None:
    found = [words(row) for row in rows(*TEXTS)]
    assert found[3][:2] == ["नमस्ते", "दुनिया"]
    assert found[4][0] == "مرحبا"
    assert found[5] == ["👩‍👩‍👧", "🇩🇪", "👍🏽"]
    assert {"Don't", "naïve", "café"} <= set(found[2])
    assert "".join(found[7][:2]) == "Donaudampfschifffahrtsgesellschaftskapitäne"
    assert words(rows("cafe\u0301")[0]) == ["café"]


def test_no_augmentation_leaves_texts_as_they_are_if_it_is_told_that_they_are_texts() -> None:
    assert load_policy("none").transform(seed=0, modality="text")(["a text", "another"]) == ["a text", "another"]


def test_a_transform_takes_and_gives_texts() -> None:
    eda = load_policy("eda")
    text = "A  big   house was not cheap"
    assert eda.transform(seed=0)([text] * 3) == eda.transform(seed=0)([text] * 3)
    assert isinstance(eda.transform(seed=0)(text), str)
    array = eda.transform(seed=0)(np.array([text, text]))
    assert isinstance(array, np.ndarray)
    still = parse_policy("layers: [{sub_policies: [{operations: [{operator: WordSwap, magnitude: 0.0}]}]}]")
    assert still.transform(seed=0)(text) == text, "what does not change keeps its white space"
    made = eda.transform(seed=1)({"text": text, "label": 1})
    assert made["label"] == 1
    for wrong, what in ((3.5, "float"), (np.array(text), "ndarray"), ([text, None], "a list with None")):
        with pytest.raises(AutoaugError, match=f"texts must be a str, .*, not {what}"):
            eda.transform(seed=0)(wrong)
    with pytest.raises(AutoaugError, match="tokens after padding"):
        eda.transform(seed=0)(tokens().flip(1))


def test_texts_are_mixed_by_a_stretch() -> None:
    policy = parse_policy(
        "layers: [{sub_policies: [{operations: [{operator: WordSwap, magnitude: 0.0}]}]}]\nmixing: {kind: cutmix}"
    )
    transform = policy.transform(seed=3, num_classes=2)
    given = rows("a " * 40, "b " * 40, "a " * 20, "b " * 20)
    plan = transform.draw(4)
    mixed = apply_plan(plan, given)
    assert plan.mix is not None
    for i, row in enumerate(mixed):
        own, many = Counter(words(row)), len(words(given[i]))
        other = words(given[int(plan.mix.partner[i])])
        replaced = min(round((1 - float(plan.mix.weight[i])) * many), len(other))
        assert len(words(row)) == many
        if other[0] != words(given[i])[0]:
            assert own[other[0]] == replaced


def test_a_label_weighs_as_much_as_its_tokens() -> None:
    """Also where the partner is too short for what was drawn, and a text is empty."""
    lengths, sides = (40, 3, 17, 1, 25, 60, 8, 0), ("a ", "b ")
    texts = [sides[i % 2] * length for i, length in enumerate(lengths * 20)]
    still = Operation(operator="WordSwap", magnitude=0.0)
    transform = Policy(layers=in_turn(still), mixing=Mixing(kind="cutmix")).transform(seed=0, num_classes=2)
    mixed, labels = transform(rows(*texts), torch.arange(len(texts)) % 2)
    for row, label in zip(mixed, labels, strict=True):
        if found := words(row):
            assert found.count("a") / len(found) == pytest.approx(float(label[0]), abs=1e-6)


@pytest.mark.parametrize("asked", ["chains: {width: 2}", "adversarial: {kind: magnitudes}"])
def test_what_needs_continuous_values_is_refused(asked: str) -> None:
    with pytest.raises(AutoaugError, match=r"'text'; it has: (none|worst-of)"):
        parse_policy(f"layers: [{{sub_policies: [{{operations: [{{operator: WordSwap}}]}}]}}]\n{asked}").transform()


def test_flags_are_of_the_words() -> None:
    assert has(flags_of(rows("Not the end.")), PROTECTED)[0, :4].tolist() == [True, False, False, False]


@given(st.text(st.characters(max_codepoint=127), max_size=40) | st.text(alphabet="ab9 '._-\x1c\n", max_size=40))
def test_texts_of_ascii_are_cut_as_all_others_are(text: str) -> None:
    """The faster pattern for them finds the same."""
    found, expected = (
        [(match.span(), match.lastgroup) for match in pattern.finditer(text)]
        for pattern in (Patterns.ascii, Patterns.piece)
    )
    assert found == expected
    assert [word for word, _ in segments(text)] == [word for word, _ in segments(text + " é")][:-1]
