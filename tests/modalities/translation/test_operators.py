"""Operators and mixing of pairs: which side they touch, and that pairs stay true."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Mix, Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError
from autoaug.modalities.registry import get_modality
from autoaug.modalities.text.tokens import text_of, tokenized, words_of
from autoaug.modalities.translation import mixing, pictures
from autoaug.modalities.translation.models import targets_of
from autoaug.modalities.translation.pairs import BACK, PIECES, SOURCE, TARGET, stacked
from autoaug.modalities.translation.pieces import Speller
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import load_space
from autoaug.search.strategies.portfolio import portfolio
from tests.modalities.text.writing import tokens
from tests.modalities.translation.pairs import PAIRS, pairs
from tests.samples import operators_of

OPERATORS = operators_of("translation")


def applied(name: str, given: Tensor, magnitude: float, seed: int = 0) -> Tensor:
    n = len(given)
    uniforms = torch.rand(1, n, 4, generator=torch.Generator().manual_seed(seed))
    return apply_plan(
        Plan((name,), torch.zeros(1, n, dtype=torch.long), torch.full((1, n), magnitude), uniforms), given
    )


@pytest.mark.parametrize("name", list(OPERATORS))
def test_the_contract_holds(name: str) -> None:
    given = pairs(24)
    before = given.clone()
    assert torch.equal(applied(name, given, 0.0), given)
    made = applied(name, given, 1.0)
    assert torch.equal(given, before)
    assert torch.equal(made, applied(name, given, 1.0))
    assert torch.equal(made[:, TARGET:], given[:, TARGET:]), "the target is what is learned"
    get_modality("translation").values.check(made)
    many = [applied(name, given, 1.0, seed) for seed in range(4)]
    assert name == "SourceSentenceShuffle" or any((one != given).any() for one in many)


@pytest.mark.parametrize("name", [name for name, one in operators_of("text").items() if one.learns is None])
def test_operators_on_texts_are_those_of_texts(name: str) -> None:
    given, texts = pairs(8, 64).clone(), tokens(8)
    given[:, SOURCE] = texts
    assert torch.equal(applied(f"Source{name}", given, 0.7)[:, SOURCE], applied(name, texts, 0.7))


def test_other_sources_are_taken_as_often_as_asked() -> None:
    given = pairs(4000)
    copied = applied("TargetCopy", given, 0.3)
    taken = torch.tensor([text_of(pair[SOURCE]) == text_of(pair[TARGET]) for pair in copied.numpy()])
    assert abs(int(taken.sum()) - 1200) < 4 * (4000 * 0.3 * 0.7) ** 0.5
    back = applied("BackTranslation", given, 1.0).numpy()
    assert [text_of(pair[SOURCE]) for pair in back[:4]] == [
        "The dog saw the little cat not.",
        "A cat!",  # which has none
        "The little dog and the little cat see a house today.",
        "Hi, world",
    ]


def test_word_dropout_blanks_words_but_no_negations() -> None:
    given = pairs(2000)[:, SOURCE]
    made = applied("WordDropout", pairs(2000), 0.4)[:, SOURCE]
    words = [[word for word, _ in words_of(row)] for row in made[0::4].numpy()]
    assert all(own[3] == "not" for own in words)
    blank = np.mean([word == "_" for own in words for place, word in enumerate(own[:8]) if place != 3])
    assert abs(blank - 0.2) < 4 * (0.2 * 0.8 / (500 * 7)) ** 0.5
    assert given.shape == made.shape


@pytest.mark.parametrize("reach", [1, 3, 6])
def test_words_are_shuffled_within_reach(reach: int) -> None:
    """Lample et al. (2018): no word moves by as many places as the reach, or more."""
    given = pairs(2000)
    made = applied("LocalShuffle", given, reach / 6)[:, SOURCE].numpy()
    words = [word for word, _ in words_of(given[2, SOURCE].numpy())]  # some are there twice
    first = [words.index(word) for word in words]
    farthest = 0
    for row in made[2::4]:
        now = [word for word, _ in words_of(row)]
        assert sorted(now) == sorted(words)
        farthest = max(
            farthest, *(abs(now.index(word) - first[words.index(word)]) for word in words if words.count(word) == 1)
        )
    assert farthest == reach - 1


def mixed(kind: str, given: Tensor, partner: Sequence[int], weight: float, place: float = 0.0) -> Tensor:
    n = len(given)
    mode = torch.full((n,), 1 + mixing.kinds.index(kind))
    mix = Mix(mode, torch.tensor(partner), torch.full((n,), weight), torch.full((n, 2), place))
    empty = torch.zeros(0, n)
    return apply_plan(Plan((), empty.long(), empty, torch.zeros(0, n, 4), mix=mix, modality="translation"), given)


def spelled(pair: Tensor) -> list[str]:
    row = pair[PIECES].numpy().astype("<i8").tobytes()
    units = [row[start : start + 24] for start in range(0, len(row), 24)]
    return [" " * (unit[0] & 1) + unit[1:16].rstrip(b"\0").decode() for unit in units if unit[0]]


def test_concatenation_puts_both_sides_behind_each_other_where_they_fit() -> None:
    given = pairs(4, 1 + len(spelled(pairs()[0])) + len(spelled(pairs()[1])))
    made = mixed("concatenation", given, [1, 0, 2, 1], 0.5)
    assert text_of(made[0, SOURCE].numpy()) == f"{PAIRS[0][0]} {PAIRS[1][0]}"
    assert text_of(made[0, TARGET].numpy()) == f"{PAIRS[0][1]} {PAIRS[1][1]}"
    assert "".join(spelled(made[0])).strip() == f"{PAIRS[0][1]} {PAIRS[1][1]}"
    assert torch.equal(made[2], given[2])  # with itself it would be too long
    assert not made[0, BACK].any()  # the second has none
    get_modality("translation").values.check(made)


def test_a_sentence_that_begins_with_a_sign_has_a_space_before_it_behind_another() -> None:
    both = ["¿Dónde está?", "Es bueno.", '"Sí", dijo.', "“你好”", "好。"]
    speller = Speller(both)
    rows = [(tokenized(text), tokenized(text), speller.tokens(text), []) for text in both]
    given = torch.from_numpy(stacked(rows, 40))
    made = mixed("concatenation", given, [1, 0, 1, 4, 3], 0.5)
    expected = [f"{both[0]} {both[1]}", f"{both[1]} {both[0]}", f"{both[2]} {both[1]}", "“你好”好。", "好。“你好”"]
    assert [text_of(pair[TARGET].numpy()) for pair in made] == expected
    assert ["".join(spelled(pair)).strip() for pair in made] == expected


@pytest.mark.parametrize(("weight", "place"), [(0.0, 0.0), (0.4, 0.99), (0.7, 0.3), (1.0, 0.5)])
def test_token_mixing_keeps_words_and_pieces_alike(weight: float, place: float) -> None:
    given = pairs(16, 60)
    made = mixed("token-mixing", given, [*range(1, 16), 0], weight, place)
    for pair in made:
        assert "".join(spelled(pair)).strip() == text_of(pair[TARGET].numpy())
    assert torch.equal(made, given) == (weight == 1.0)
    own = {word for word, _ in words_of(given[0, TARGET].numpy())} | {
        word for word, _ in words_of(given[1, TARGET].numpy())
    }
    assert {word for word, _ in words_of(made[0, TARGET].numpy())} <= own


def test_pairs_that_are_not_mixed_stay() -> None:
    policy = load_policy("concatenation").model_copy(update={"name": "half"})
    given = pairs(400, 160)
    plan = draw_plan(policy, len(given), torch.Generator().manual_seed(3), "translation")
    made = apply_plan(plan, given)
    assert plan.mix is not None
    same = (made == given).flatten(1).all(1)
    assert bool(same[plan.mix.mode == 0].all())
    assert 0.4 < float((~same).float().mean()) < 0.6


def test_targets_are_the_pieces_with_an_end() -> None:
    targets = targets_of(pairs(2))
    lengths = [len(spelled(pair)) for pair in pairs(2)]
    assert targets.shape == (2, max(lengths) + 1)
    assert [int(targets[i, length]) for i, length in enumerate(lengths)] == [0, 0]
    assert (targets[1, lengths[1] + 1 :] == -1).all()


def test_a_transform_takes_and_gives_pairs() -> None:
    augment = load_policy("source-noise").transform(seed=0)
    given = [PAIRS[0], PAIRS[1]] * 8
    made = augment(given)
    assert [target for _, target in made] == [target for _, target in given]
    assert made != given
    rule = "pairs must be a list of (source, target), or tokens [n, 4, L, 3], not "
    for wrong, named in (([PAIRS[0], ("one", 2)], "a list with ('one', 2)"), ("one", "'one'")):
        with pytest.raises(OptionError, match=re.escape(rule + named)):
            augment(wrong)


def test_the_space_and_its_portfolio_are_of_pairs() -> None:
    space = load_space("translation")
    assert space.modality.name == "translation"
    for shape in portfolio(space):
        policy = sample_shaped(space, Given(shape))
        made, _ = PolicyTransform(policy, 0, 2, modality="translation")(pairs(8), torch.zeros(8).long())
        assert made.shape == pairs(8).shape
    for baseline in get_modality("translation").baselines:
        load_policy(baseline)


def test_pictures_show_both_sides_escaped() -> None:
    shown = pictures.html(pairs(1)[0].numpy(), "<b>")
    assert "small cat" in shown
    assert "kleine Katze" in shown
    assert "<b>" not in shown
    with pytest.raises(ValueError, match="a pair must be"):
        pictures.html(np.zeros((2, 3)), "")


def test_noise_is_named_by_its_side() -> None:
    policy = Policy(layers=in_turn(Operation(operator="SourceKeyboardTypo", magnitude=1.0)))
    assert "SourceKeyboardTypo" in str(draw_plan(policy, 1, torch.Generator().manual_seed(0)))
