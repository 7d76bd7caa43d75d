"""Data sets of pairs: every form, what is said of them, and what is refused."""

from __future__ import annotations

import gettext
import os
import selectors
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from autoaug.data.audit import audit
from autoaug.data.labels import format_label, kind_of
from autoaug.data.loading import check_data, open_source
from autoaug.data.source import Source
from autoaug.data.texts import decode_texts
from autoaug.errors import AutoaugError, DataError
from autoaug.modalities.base import AS_SUITS
from autoaug.modalities.operators import prepare
from autoaug.modalities.text import translators
from autoaug.modalities.text.tokens import text_of
from autoaug.modalities.translation.pairs import BACK, PIECES, SOURCE, TARGET
from autoaug.modalities.translation.pieces import Speller, learn_merges
from tests.modalities.text.writing import write_table
from tests.modalities.translation.pairs import numbers, write_numbers
from tests.modalities.translation.test_operators import applied

LIMIT = 2**30
TMX = """<?xml version="1.0" encoding="UTF-8"?>
<tmx version="1.4"><header srclang="{srclang}"/><body>
<tu><tuv xml:lang="de"><seg>Guten <b>Tag</b></seg></tuv><tuv xml:lang="en"><seg><bpt i="1">&lt;i&gt;</bpt>Good<ept \
i="1">&lt;/i&gt;</ept> <hi>day</hi><ph>&lt;br/&gt;</ph></seg></tuv></tu>
<tu><tuv xml:lang="de"><seg>Danke</seg></tuv><tuv xml:lang="en"><seg>Thanks</seg></tuv></tu>
</body></tmx>"""


def texts(source: Source, role: str = "train") -> list[tuple[str, str]]:
    labels = source.parts[role].labels  # type: ignore[index]
    return list(zip(decode_texts(labels[:, 0]), decode_texts(labels[:, 1]), strict=True))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_all_forms_hold_the_same_pairs(tmp_path: Path) -> None:
    pairs = [("Guten Tag", "Good day"), ("Danke", "Thanks")]
    table = write_table(tmp_path / "t.tsv", pairs, ("source", "target"))
    named = write_table(tmp_path / "n.csv", [("x", *pair) for pair in pairs], ("id", "src", "Translation"))
    de, en = write(tmp_path / "a.de", "Guten Tag\nDanke\n"), write(tmp_path / "a.en", "Good day\nThanks\n")
    write(tmp_path / "folder" / "train.src", de.read_text()), write(tmp_path / "folder" / "train.tgt", en.read_text())
    tmx = write(tmp_path / "m.tmx", TMX.format(srclang="de"))
    spaced = TMX.format(srclang="de").replace("<tmx ", '<tmx xmlns="http://www.lisa.org/tmx14" ')
    in_namespace, wide = write(tmp_path / "n.tmx", spaced), tmp_path / "w.tmx"
    wide.write_text(TMX.format(srclang="de").replace("UTF-8", "UTF-16"), encoding="utf-16")
    for data in (table, named, f"{de},{en}", tmp_path / "folder", tmx, in_namespace, wide):
        source = open_source(data, LIMIT)
        assert source.modality == "translation", data
        assert texts(source) == pairs, data
        assert not source.assumed
    for language, own in (("en", "en"), ("en", "en-US"), ("EN-us", "en")):
        tmx = TMX.format(srclang=language).replace('"en">', f'"{own}">')
        turned = open_source(write(tmp_path / "o.tmx", tmx), LIMIT)
        assert texts(turned) == [(english, german) for german, english in pairs], (language, own)
    assert kind_of(turned.parts["train"].labels) == "translation"
    assert format_label(turned.parts["train"].labels[0], turned.classes) == "Good day → Guten Tag"


CATALOG = """
msgid ""
msgstr "Language: {language}\\nContent-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Good day"
msgstr "Guten Tag"

msgctxt "to a waiter"
msgid "Thanks"
msgstr "Danke"

msgid "%d file"
msgid_plural "%d files"
msgstr[0] "%d Datei"
msgstr[1] "%d Dateien"

#, fuzzy
msgid "Bye"
msgstr "Hallo"

msgid "Not yet"
msgstr ""

msgid "Not yet one"
msgid_plural "Not yet %d"
msgstr[0] ""
msgstr[1] ""

#~ msgid "Old"
#~ msgstr "Alt"
"""


def test_messages_of_programs_are_pairs_where_they_are_translated_for_certain(tmp_path: Path) -> None:
    pairs = [("Good day", "Guten Tag"), ("Thanks", "Danke"), ("%d file", "%d Datei"), ("%d files", "%d Dateien")]
    po = write(tmp_path / "train.po", CATALOG.format(language="de"))
    with po.open("rb") as source, (tmp_path / "compiled.mo").open("wb") as target:
        catalog = read_po(source)
        catalog.delete("Not yet one")  # msgfmt leaves it out, and Babel writes the message itself
        write_mo(target, catalog)
    with (tmp_path / "compiled.mo").open("rb") as file:
        known = gettext.GNUTranslations(file)
    compiled = texts(open_source(tmp_path / "compiled.mo", LIMIT))
    assert texts(open_source(po, LIMIT)) == pairs
    assert sorted(compiled) == sorted(pairs)
    assert [target for source, target in compiled if source == "Good day"] == [known.gettext("Good day")]
    assert [target for source, target in compiled if source == "%d files"] == [known.ngettext("%d file", "%d files", 5)]
    (tmp_path / "compiled.mo").rename(tmp_path / "test.mo")
    (tmp_path / "train.mo").write_bytes((tmp_path / "test.mo").read_bytes())  # beside its source it is not read
    whole = open_source(tmp_path, LIMIT)
    assert (texts(whole), sorted(texts(whole, "test"))) == (pairs, sorted(pairs))
    assert not whole.assumed
    write(tmp_path / "dpkg-dev.po", CATALOG.format(language="de"))
    assert open_source(tmp_path, LIMIT).parts.keys() == {"train", "test"}, "a program is no validation split"
    write(tmp_path / "more.po", CATALOG.replace("Language: {language}\\n", ""))
    (silent,) = open_source(tmp_path, LIMIT).assumed
    assert "more.po does not tell its language" in silent
    names = whole.parts["train"].names
    assert names[0] == f"{po}, line 5"
    assert len(set(names)) == len(names) == 4


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("en", ("en-US", "es")),
        ("en-US", ("EN", "es")),
        ("*all*", ("en", "es")),
        ("", ("en", "es")),
        ("pt", ("pt-BR", "en")),
    ],
)
def test_all_units_of_a_tmx_are_translated_the_same_way(
    header: str, languages: tuple[str, str], tmp_path: Path
) -> None:
    """Programs write regions in the header alone, or in the units alone; and units in any order."""
    sides = [
        f'<tuv xml:lang="{language}"><seg>{which} {{0}}</seg></tuv>'
        for language, which in zip(languages, "ab", strict=True)
    ]
    units = [f"<tu>{''.join(sides[:: 1 if number % 2 else -1])}</tu>".format(number) for number in (1, 2, 3)]
    text = f'<tmx version="1.4"><header srclang="{header}"/><body>{"".join(units)}</body></tmx>'
    source = open_source(write(tmp_path / "m.tmx", text), LIMIT)
    assert texts(source) == [(f"a {number}", f"b {number}") for number in (1, 2, 3)]
    third = text.replace(
        "</body>", '<tu><tuv xml:lang="en"><seg>c</seg></tuv><tuv xml:lang="fr"><seg>d</seg></tuv></tu></body>'
    )
    with pytest.raises(DataError, match=r"m\.tmx, unit 4 is a translation into '\w+', those before are into '\w+'"):
        open_source(write(tmp_path / "m.tmx", third), LIMIT)


def test_other_files_in_a_folder_of_pairs_do_not_matter(tmp_path: Path) -> None:
    for name, text in (("train.de", "eins\n"), ("train.en", "one\n"), ("README.md", "of numbers"), ("get.sh", "wget")):
        write(tmp_path / name, text)
    assert texts(open_source(tmp_path, LIMIT)) == [("eins", "one")]
    write(tmp_path / "test.en", "two\n")
    with pytest.raises(DataError, match="there are no pairs of texts"):
        open_source(tmp_path, LIMIT, AS_SUITS, "translation")


def test_samples_have_both_sides_and_the_pieces(tmp_path: Path) -> None:
    source = open_source(write_numbers(tmp_path / "n"), LIMIT)
    train = source.parts["train"]
    first = train.inputs.take(np.array([0]))[0]
    assert [text_of(first[row]) for row in (SOURCE, TARGET, BACK)] == ["one zero zero", "1 0 0", ""]
    spelled = [source.classes[index - 1] for index in first[PIECES, :, 2].tolist() if index]
    assert "".join(spelled).strip() == "1 0 0"
    assert set(source.parts) == {"train", "test"}


def test_pieces_are_those_of_byte_pair_encoding() -> None:
    """The example of Sennrich et al. (2016), with a space before each word instead of a mark behind."""
    words = ["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3
    merges = learn_merges(words)
    assert merges[:2] == [("e", "s"), ("es", "t")]
    assert (" lo", "w") in merges
    speller = Speller(words)
    assert [unit[1:16].rstrip(b"\0").decode() for unit in speller.tokens("lowest")][-1] == "est"
    assert speller.tokens("xyz")[1][16:] == bytes(8)  # a character that none has


def test_the_audit_tells_what_is_wrong_with_pairs(tmp_path: Path) -> None:
    rows = [*numbers(100, 130), ("same", "same"), ("one", "1 2 3 4 5 6 7 8 9 0"), ("one zero zero", "I 0 0")]
    write_table(tmp_path / "d" / "train.tsv", [*rows, rows[0]], ("source", "target"))
    write_table(tmp_path / "d" / "test.tsv", [rows[1], ("one zero two", "zwei")], ("source", "target"))
    source = open_source(tmp_path / "d", LIMIT)
    said = "\n".join(f"{finding.level} {finding.code} {finding.message}" for finding in audit(source).findings)
    assert "1 of 36 pairs are copies" in said
    assert "1 of 36 pairs are uneven" in said
    assert "stop leak 1 sample is in two splits" in said
    assert "2 sources are in the training split and in another one" in said
    assert "warning duplicate 1 sample occurs" in said
    assert "conflict" not in said  # a source may have several translations
    assert "characters that no training text has, 'w'" in said or "'w' 'z'" in said
    assert "note lacking BackTranslation is left out: there are no translations of the targets back" in said


def test_uneven_is_what_is_unusual_for_the_languages(tmp_path: Path) -> None:
    """Kana are cut into letters, so that all Japanese texts are several times as long."""
    rows = [(f"file {i} error", f"ファイル{i}でエラーがおきました。") for i in range(20)]
    write_table(tmp_path / "t.tsv", [*rows, ("a b c d e f g h i j k l m n o p q r s", "ア")], ("source", "target"))
    said = [words for words in open_source(tmp_path / "t.tsv", LIMIT).unusual if "uneven" in words]
    assert len(said) == 1
    assert said[0].startswith("1 of 21 pairs are uneven")


@pytest.mark.parametrize("turned", [False, True])
def test_uneven_pairs_are_the_same_in_both_directions_and_short_ones_are_none(turned: bool, tmp_path: Path) -> None:
    rows = [(f"file {i} error", f"ファイル{i}でエラーがおきました。") for i in range(20)]
    rows += [("come in", "どうぞ"), ("yes", "はい"), ("a b c d e f g h i j k l m n o p q r s", "ア")]
    columns = ("target", "source") if turned else ("source", "target")
    write_table(tmp_path / "t.tsv", rows, columns)
    said = [words for words in open_source(tmp_path / "t.tsv", LIMIT).unusual if "uneven" in words]
    assert [words.split(",")[0] for words in said] == [
        "1 of 23 pairs are uneven: one text is more than 3 times as long"
    ]
    assert said[0].endswith("line 24")


@pytest.mark.parametrize(
    ("files", "data", "message"),
    [
        ({"a.de": "eins\nzwei\n", "a.en": "one\n"}, "a.de,a.en", r"a\.de has 2 lines and .*a\.en 1"),
        ({"a.de": "eins\n\ndrei\n", "a.en": "one\ntwo\nthree\n"}, "a.de,a.en", r"line 2: there is no source"),
        ({"t.tsv": "source\tother\na\tb\n"}, "t.tsv", r"no column of translations \(target\); it has source, other"),
        ({"t.tsv": "source\ttarget\n\tb\n"}, "t.tsv", "no training"),
        ({"m.tmx": "<tmx><body><tu>"}, "m.tmx", "is not TMX"),
        ({"m.tmx": '<!DOCTYPE x [<!ENTITY a "b">]><tmx/>'}, "m.tmx", "defines entities"),
        ({"m.tmx": TMX.format(srclang="de").replace("<tu>", "<tu><tuv><seg>x</seg></tuv>", 1)}, "m.tmx", "3 languages"),
        ({"m.tmx": "<tmx><body/></tmx>"}, "m.tmx", "no training pair in 0 lines"),
        ({"a.de": "\n", "a.en": "one\n"}, "a.de,a.en", "no training pair in 1 line; the first: "),
        ({"m.mo": "no catalog at all"}, "m.mo", "m.mo cannot be read as a gettext catalog"),
        ({"m.mo": ""}, "m.mo", "m.mo cannot be read as a gettext catalog"),
        ({"m.po": CATALOG.replace("nplurals=2", "nplurals=INTEGER")}, "m.po", "its header is not filled in"),
        ({"m.po": "msgid Hello"}, "m.po", "m.po cannot be read as a gettext catalog"),
        ({"m.po": CATALOG.format(language="de").split("msgid", 2)[0]}, "m.po", "no training pair in 0 lines"),
        (
            {f"po/{language}.po": CATALOG.format(language=language) for language in ("de", "fr")},
            "po",
            "de.po is in the language de and .*fr.po in fr; translate into one at a time",
        ),
        ({"nothing.md": ""}, "nothing.md", "there are no pairs of texts; give a table"),
    ],
)
@pytest.mark.fault("data", "pairs of texts that lack a side")
def test_damage_is_refused_in_one_line(files: dict[str, str], data: str, message: str, tmp_path: Path) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    given = ",".join(str(tmp_path / name) for name in data.split(","))
    with pytest.raises(AutoaugError, match=message) as caught:
        check_data(given, LIMIT, AS_SUITS, (), 0, modality="translation")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_utf8_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.de").write_bytes(b"\xff\xfe\n")
    (tmp_path / "a.en").write_bytes(b"x\n")
    with pytest.raises(DataError, match=r"a\.de is not UTF-8"):
        open_source(f"{tmp_path / 'a.de'},{tmp_path / 'a.en'}", LIMIT)


def program(code: str) -> str:
    return f"{sys.executable} -c '{code}'"


UPPER = program("import sys; print(sys.stdin.read().upper(), end=str())")


def test_names_of_columns_may_have_separators_in_quotes(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", '"English, US","Spanish, Spain"\n"Yes, it is","Sí, lo es"\n')
    source = open_source(data, LIMIT, modality="translation")
    assert texts(source) == [("Yes, it is", "Sí, lo es")]
    assert "'English, US' is taken for the source and 'Spanish, Spain' for the target" in source.assumed[0]


@pytest.mark.parametrize("form", ["a.jsonl", "a.parquet", "saved"])
def test_records_as_the_hub_has_them_are_pairs(form: str, tmp_path: Path) -> None:
    import datasets

    pairs = [(f"good day {i}", f"bonjour {i}") for i in range(6)]
    rows = [{"id": str(i), "translation": {"en": en, "fr": fr}} for i, (en, fr) in enumerate(pairs)]
    features = datasets.Features(
        {"id": datasets.Value("string"), "translation": datasets.Translation(languages=["en", "fr"])}
    )
    data, place = datasets.Dataset.from_list(rows, features=features), tmp_path / form
    if form == "saved":
        data.save_to_disk(place)
    else:
        data.to_json(place) if form == "a.jsonl" else data.to_parquet(place)
    name = f"hf:{place}" if form == "saved" else str(place)
    source = open_source(name, LIMIT, modality="translation" if form == "saved" else None)
    assert source.modality == "translation"
    assert texts(source) == pairs
    assert "'translation.en' is taken for the source and 'translation.fr' for the target" in source.assumed[0]


def test_columns_of_ids_are_no_side(tmp_path: Path) -> None:
    rows = [(str(i), "eins", "one", "x") for i in range(3)]
    table = write_table(tmp_path / "t.tsv", rows, ("id", "de", "en", "note"))
    source = open_source(table, LIMIT, modality="translation")
    assert texts(source) == [("eins", "one")] * 3
    assert "'de' is taken for the source and 'en' for the target" in source.assumed[0]


def test_a_translator_translates_back_once_and_only_where_a_run_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = translators._run
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("AUTOAUG_TRANSLATOR", UPPER)
    monkeypatch.setattr(translators, "_run", lambda *_, **__: pytest.fail("nothing needs it"))
    given = [("eins", "one", ""), ("zwei", "two", "ZWEI"), ("nicht 3", "not 3", "")]
    table = write_table(tmp_path / "t.tsv", given, ("source", "target", "back_translation"))
    source = open_source(table, LIMIT)
    assert "BackTranslation" not in source.lacking
    inputs, asked = source.parts["train"].inputs, []

    def noting(program: str, lines: list[str], seconds: float) -> list[str]:
        asked.append(lines)
        return run(program, lines, seconds)

    monkeypatch.setattr(translators, "_run", noting)
    prepare([inputs], ["WordDropout", "BackTranslation"])
    assert asked == [["one", "not 3"]]
    made = applied("BackTranslation", torch.from_numpy(inputs.take(np.arange(3))), 1.0).numpy()
    assert [text_of(pair[SOURCE]) for pair in made] == ["ONE", "ZWEI", "NOT 3"]
    assert len(asked) == 1, "it is known"


def test_a_column_with_translations_back_is_taken(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.tsv", [("eins", "one", "EINS")], ("source", "target", "back_translation"))
    source = open_source(table, LIMIT)
    assert text_of(source.parts["train"].inputs.take(np.array([0]))[0, BACK]) == "EINS"
    assert "1 of 1 pairs have a translation" in str(source.unusual)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("no-such-translator --x", "there is no program 'no-such-translator --x'; Debian has apertium"),
        (program("import time; time.sleep(60)"), "took more than 0.5 s for 20 texts, and was ended"),
        (program("import sys; [print() for _ in sys.stdin]"), "made nothing of 20 texts"),
        (program("import sys; print(sys.stdin.readline())"), "a line for each text: of 20 texts it made 2 lines"),
        ("true", "of 20 texts it made 0 lines"),
        ("yes", "'yes' wrote more than 10[0-9]+ bytes for 20 texts, and was ended"),
        (program("import sys; [sys.stderr.write(str(10**4000)) for _ in range(9999)]"), "wrote more than 10"),
        (program("import sys; sys.exit(3)"), "failed with status 3: it does not say why"),
        (program("no_such_pair"), "failed with status 1: NameError: name"),
    ],
)
@pytest.mark.fault("data", "a translator that is missing, hangs, fails or writes nothing")
def test_a_bad_translator_is_named(code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    with pytest.raises(DataError, match=message):
        translators.rewritten([f"text {i}" for i in range(20)], code, seconds=0.5 if "sleep" in code else 20)


def test_what_a_hanging_translator_has_started_is_ended_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    os.mkfifo(pipe := tmp_path / "pipe")
    script = write(tmp_path / "translate", f"#!/bin/sh\nsleep 60 > {pipe}\necho\n")
    script.chmod(0o755)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(DataError, match="took more than 2 s"):
        translators.rewritten(["text"], str(script), seconds=2)
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        assert selector.select(20), "sleep has still the pipe"
    os.close(reading)


def test_a_translator_that_no_system_can_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    script = write(tmp_path / "translate", "cat\n")
    script.chmod(0o755)
    for program in (str(script), f"{script}/cat", "x" * 5000):
        with pytest.raises(DataError, match=r"cannot be run: (Exec format error|Not a directory|File name too long)"):
            translators.rewritten(["text"], program)
