"""Texts in tables, folders and arrays: what is read, by which rule, and what is refused with the line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoaug import api
from autoaug.data.audit import audit
from autoaug.data.loading import open_source, recognize
from autoaug.data.source import Source
from autoaug.errors import DataError, OptionError, PolicyError, RunError
from autoaug.modalities.base import Reading
from autoaug.modalities.text.scripts import script_of
from autoaug.modalities.text.tokens import text_of
from tests.modalities.text.writing import write_table, write_texts, written

LIMIT = 2**30


def opened(path: Path, *lengths: int) -> Source:
    return open_source(path, LIMIT, Reading(lengths), "text")


def words_of(path: Path) -> str:
    return "\n".join(finding.message for finding in audit(opened(path)).findings)


@pytest.mark.parametrize("columns", [("Text", "label", "split", "group"), ("text", "Label", "Split", "GROUP")])
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_tables_are_recognized_and_read(suffix: str, columns: tuple[str, ...], tmp_path: Path) -> None:
    rows = [
        (text, label, ("train", "test")[i // 2 % 2], f"g{i // 4}{i // 2 % 2}")
        for i, (text, label) in enumerate(written(8, 0))
    ]
    path = write_table(tmp_path / f"data.{suffix}", rows, columns)
    assert recognize(path).name == "text"
    source = opened(path)
    assert source.left_out == ()
    assert source.classes == ("money", "sport")
    part = source.parts["test"]
    assert [text_of(row) for row in part.inputs.take(np.arange(4))] == [row[0] for row in (*rows[2:4], *rows[6:8])]
    assert part.groups is not None
    assert part.groups.tolist() == ["g01", "g01", "g11", "g11"]


def test_parquet_and_a_folder_of_tables(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    write_texts(tmp_path / "tables", 12, 6)
    assert recognize(tmp_path / "tables").name == "text"
    assert {role: len(part) for role, part in opened(tmp_path / "tables").parts.items()} == {"train": 12, "test": 6}
    texts, labels = zip(*written(12, 0), strict=True)
    (tmp_path / "p").mkdir()
    parquet.write_table(pyarrow.table({"text": texts, "label": labels}), tmp_path / "p/train.parquet")
    assert recognize(tmp_path / "p").name == "text"
    assert len(opened(tmp_path / "p").parts["train"]) == 12
    images = pyarrow.table({"image": [{"bytes": b"x", "path": ""}], "text": ["a caption"], "label": [0]})
    parquet.write_table(images, tmp_path / "images.parquet")
    assert recognize(tmp_path / "images.parquet").name == "image"


def test_a_folder_of_files_per_class(tmp_path: Path) -> None:
    for i, (text, label) in enumerate(written(12, 0)):
        path = tmp_path / "data" / ("train", "test")[i % 2 if i > 5 else 0] / label / f"{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "data/train/sport/empty.txt").write_text(" \n")
    (tmp_path / "data/train/sport/latin.txt").write_bytes("café".encode("latin-1"))
    assert recognize(tmp_path / "data").name == "text"
    source = opened(tmp_path / "data")
    assert len(source.unreadable) == 2
    assert "is empty" in " ".join(source.unreadable)
    assert "is not UTF-8 text" in " ".join(source.unreadable)
    assert text_of(source.parts["train"].inputs.take(np.array([0]))[0]).endswith(".")
    assert "unreadable" in words_of(tmp_path / "data")


def test_columns_without_known_names_are_found_and_told(tmp_path: Path) -> None:
    rows = [(str(i) * 200, "ham" if i % 2 else "spam", text) for i, (text, _) in enumerate(written(20, 0))]
    path = write_table(tmp_path / "sms.csv", rows, ("id", "v1", "v2"))
    source = opened(path)
    assert source.classes == ("ham", "spam")
    assert "taken from the column 'v2' and the labels from 'v1'" in source.assumed[0]
    assert source.left_out == ("column 'id'",)


def test_json_lines_may_have_long_lines_other_ends_of_lines_in_texts_and_labels_of_truth(tmp_path: Path) -> None:
    texts = ["word " * 50_000, "one\u2028two\x85three", "four", "五六"]
    lines = [json.dumps({"text": text, "label": i % 2 == 0}, ensure_ascii=False) for i, text in enumerate(texts)]
    path = tmp_path / "a.jsonl"
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    assert recognize(path).name == "text"
    source = opened(path, 8)
    assert source.classes == ("false", "true")
    given = [text_of(row) for row in source.parts["train"].inputs.take(np.arange(4))]
    assert given[1:3] == ["one two three", "four"]
    assert source.forms["scripts"] == {"Latin": 3, "Han": 1}


def test_whole_numbers_with_a_decimal_point_are_classes(tmp_path: Path) -> None:
    """As star ratings are published, and as pandas writes whole numbers of which some are missing."""
    rows = [(text, float(i % 3 + 3)) for i, (text, _) in enumerate(written(12, 0))]
    assert opened(write_table(tmp_path / "a.jsonl", rows)).classes == ("3", "4", "5")


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_sample_may_have_several_labels_or_none(ending: str, tmp_path: Path) -> None:
    given = [["a", "b"], [], ["b"], ["c", "a"]]
    rows = [(f"text {i}", labels if ending == "jsonl" else ";".join(labels)) for i, labels in enumerate(given)]
    source = opened(write_table(tmp_path / f"t.{ending}", rows, ("text", "labels")))
    assert source.classes == ("a", "b", "c")
    assert source.parts["train"].labels.tolist() == [[name in own for name in "abc"] for own in given]
    api.expand(tmp_path / f"t.{ending}", "eda", out=tmp_path / "more", copies=1)
    assert (opened(tmp_path / "more").parts["train"].labels == np.tile(source.parts["train"].labels, (2, 1))).all()
    lists = write_table(tmp_path / "lists.jsonl", [("one", ["x"]), ("two", []), ("three", ["y"])], ("text", "labels"))
    api.expand(lists, "eda", out=tmp_path / "of lists", copies=1)
    assert opened(tmp_path / "of lists").parts["train"].labels.tolist() == 2 * [
        [True, False],
        [False, False],
        [False, True],
    ]
    alone = opened(write_table(tmp_path / "alone.csv", [("one", "x"), ("two", "y y")], ("text", "labels")))
    assert alone.classes == ("x", "y y"), "one label each is a class"


def test_numbers_are_predicted_as_numbers(tmp_path: Path) -> None:
    numbers = [0.1, -2.0, 1e-3, 40.0]
    rows = [(f"text {i}", str(number)) for i, number in enumerate(numbers)]
    source = opened(write_table(tmp_path / "t.csv", rows, ("text", "number")))
    assert source.parts["train"].labels.tolist() == np.float32(numbers)[:, None].tolist()
    api.expand(tmp_path / "t.csv", "eda", out=tmp_path / "more", copies=1)
    assert opened(tmp_path / "more").parts["train"].labels.tolist() == np.float32(numbers * 2)[:, None].tolist()
    write_table(tmp_path / "t.csv", [*rows, ("five", "nan")], ("text", "number"))
    with pytest.raises(DataError, match=r"line 6: the number is missing \('nan'\)"):
        opened(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("ending", "rule"),
    [
        ("csv", "not Review Text,Verdict; no column has files .*"),
        ("jsonl", "it is not known what the samples are"),
        ("parquet", "it has Review Text, Verdict"),
    ],
)
def test_a_table_that_is_not_recognized_says_how_to_name_what_is_in_it(ending: str, rule: str, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path, header = tmp_path / f"a.{ending}", ("Review Text", "Verdict")
    if ending == "parquet":
        parquet.write_table(pyarrow.table(dict(zip(header, zip(*written(8, 0), strict=True), strict=True))), path)
    else:
        write_table(path, list(written(8, 0)), header)
    with pytest.raises(DataError, match=f"{rule}; if the samples themselves are in it, such as texts"):
        open_source(path, LIMIT)
    assert len(open_source(path, LIMIT, modality="text").parts["train"]) == 8


def test_what_spoils_a_result_is_found(tmp_path: Path) -> None:
    rows = [(f"{label} {text}" if label == "sport" else text, label) for text, label in written(40, 0)]
    rows += [("Cafe\u0301  au lait is good", "money"), ("Café au lait is good", "money")]
    rows += [("x " * 400, "money"), ("good", "money"), ("😀", "money"), ("", "money")]
    write_table(tmp_path / "data/train.csv", rows)
    write_table(tmp_path / "data/test.csv", [(*rows[0],), (*rows[1],), ("Another text", "money")])
    words = words_of(tmp_path / "data")
    assert "2 samples are in two splits" in words
    assert "train.csv, line 42" in words, "NFC and white space make duplicates"
    assert "1 of 48 texts are longer than" in words
    assert "1 of 48 texts are of one word" in words
    assert "1 of 48 texts are without a word" in words
    assert "21 of 21 texts of 'sport' have this word in them" in words
    assert "line 47: there is no text" in words


@pytest.mark.parametrize(
    ("text", "is_foreign"),
    [
        ("Das Spiel war gut, und die Mannschaft hat nicht verloren", True),
        ("не хочу идти домой сегодня", True),
        ("यह एक परीक्षण है", True),
        ("これは本です", True),
        ("the team won the match, and it was not close", False),
        ("bank raises rates as profits fall", False),
        ("酒店的服务很好, 房间也很干净", False),
    ],
)
def test_texts_whose_language_has_no_synonyms_are_warned_of(
    text: str, is_foreign: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WordNet has German's 'die' and 'war' as English words."""
    path = write_table(tmp_path / "a.csv", [(f"{text} {i}", "ab"[i % 2]) for i in range(8)])
    assert ("neither English nor Chinese" in words_of(path)) == is_foreign
    (tmp_path / "own.txt").write_text("gut schön\n")
    monkeypatch.setenv("AUTOAUG_LEXICON", str(tmp_path / "own.txt"))
    assert "neither English nor Chinese" not in words_of(path)


def test_texts_with_html_or_nul_are_warned_of(tmp_path: Path) -> None:
    rows = [("3 < 4 and 5 > 4 <user> said", "a"), ("one<br/>two", "b"), ("<p class='x'>three</p>", "a"), ("four", "b")]
    assert "2 of 4 texts are marked up with HTML" in words_of(write_table(tmp_path / "a.csv", rows))
    lines = [json.dumps({"text": f"one{sign}two", "label": label}) for sign, label in zip("\0-+ ", "abab", strict=True)]
    (tmp_path / "b.jsonl").write_text("\n".join(lines))
    assert "1 of 4 texts are damaged" in words_of(tmp_path / "b.jsonl")


def test_a_column_without_a_name_is_no_mark_of_copies(tmp_path: Path) -> None:
    """pandas writes its index so."""
    rows = [(str(i), text, label) for i, (text, label) in enumerate(written(8, 0))]
    source = opened(write_table(tmp_path / "data.csv", rows, ("", "text", "label")))
    assert source.parts["train"].augmented is None
    assert source.left_out == ("column ''",)


def test_texts_are_padded_and_cut_to_one_length(tmp_path: Path) -> None:
    path = write_texts(tmp_path / "data", 40, 10)
    longest = max(len(text.split()) for text, _ in written(40, 1)) + 1
    assert opened(path).parts["train"].inputs.shape == (int(np.ceil(1.25 * longest)), 3)
    cut = opened(path, 5).parts["train"].inputs.take(np.array([0]))[0]
    assert text_of(cut).split() == next(written(40, 1))[0].split()[:5]


def test_copies_are_written_in_the_form_of_the_data(tmp_path: Path) -> None:
    given = write_texts(tmp_path / "data", 12, 6)
    made = api.expand(given, "eda", out=str(tmp_path / "more"), copies=2)
    assert made.copies == 24
    with (tmp_path / "more/data.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["text"], row["label"]) for row in rows[:12]] == list(written(12, 1)), "originals are as they were"
    assert [row["copy"] for row in rows] == ["0"] * 18 + ["1"] * 12 + ["2"] * 12
    assert {row["split"] for row in rows[18:]} == {"train"}
    assert [(row["group"], row["label"]) for row in rows[18:30]] == [(row["group"], row["label"]) for row in rows[:12]]
    for data in (tmp_path / "more", tmp_path / "more/data.csv"):
        assert recognize(data).name == "text"
        again = open_source(data, LIMIT)
        assert again.left_out == ()
        assert (len(again.parts["train"]), len(again.parts["train"].originals), len(again.parts["test"])) == (36, 12, 6)
    with pytest.raises(OptionError, match="holds augmented copies already"):
        api.expand(tmp_path / "more", "eda", out=tmp_path / "again")
    with pytest.raises(RunError, match="already holds this expansion"):
        api.expand(given, "eda", out=str(tmp_path / "more"), copies=2)
    for i, (text, label) in enumerate(written(12, 0)):
        path = tmp_path / f"files/train/{label}/{i}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    api.expand(tmp_path / "files", "eda", out=str(tmp_path / "copies"), copies=1)
    assert len(list((tmp_path / "copies").rglob("*.txt"))) == 24
    assert len(opened(tmp_path / "copies").parts["train"].originals) == 12
    texts, labels = zip(*written(12, 0), strict=True)
    np.savez(tmp_path / "a.npz", x_train=np.array(texts), y_train=np.array(labels))
    api.expand(tmp_path / "a.npz", "eda", out=str(tmp_path / "arrays"), copies=1)
    assert len(opened(tmp_path / "arrays/data.npz").parts["train"]) == 24


@pytest.mark.parametrize(
    ("head", "numbers", "label"),
    [
        (("number", "remark", "verdict"), (7, 8, 9), "verdict"),  # the numbers of the rows
        (("number", "text", "verdict"), (7, 8, 10), "verdict"),  # some rows were left out
        (("number", "text", "verdict"), (7, 8, 14), "number"),  # sorted by what is to be predicted
        (("number", "remark", "verdict"), (7, 8.5, 6), "number"),
        (("number", "remark", "verdict"), (3, 3, 4), "number"),
        (("number", "remark"), (1, 2, 3), "number"),
    ],
)
def test_numbers_of_rows_are_no_labels_where_there_are_others(
    head: tuple[str, ...], numbers: tuple[float, ...], label: str, tmp_path: Path
) -> None:
    rows = [(number, f"the pump leaks {i}", "bad" if i else "good")[: len(head)] for i, number in enumerate(numbers)]
    source = opened(write_table(tmp_path / "t.csv", rows, head))
    assert source.classes == (("bad", "good") if label == "verdict" else ("number",))
    assert f"the labels from '{label}'; rename the columns" in source.assumed[0]


def test_an_expansion_that_cannot_begin_leaves_nothing_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = write_texts(tmp_path / "data", 12, 6), tmp_path / "more"
    with pytest.raises(PolicyError, match="policy 'word-dropout' does not fit the data: "):
        api.expand(data, "word-dropout", out=str(out), copies=1)
    monkeypatch.setenv("AUTOAUG_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("AUTOAUG_TRANSLATOR", "no-such-translator")
    with pytest.raises(DataError, match="there is no program"):
        api.expand(data, "round-trip-translation", out=str(out), copies=1)
    assert api.expand(data, "eda", out=str(out), copies=1).copies == 12


Write = Callable[[Path], object]


def test_quotation_marks_in_tsv_are_text_where_no_program_put_them(tmp_path: Path) -> None:
    said = ['the mouse 5" wide', '"so" he said', '"open', 'closed"', '"whole"']
    plain, quoted = tmp_path / "plain.tsv", tmp_path / "quoted.tsv"
    plain.write_text("label\ttext\n" + "".join(f"{'ab'[i % 2]}\t{text}\n" for i, text in enumerate(said)))
    with quoted.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerows([("label", "text"), *(("ab"[i % 2], f"{text}\nand more") for i, text in enumerate(said))])
    for path, end in ((plain, ""), (quoted, " and more")):
        source = opened(path)
        texts = [" ".join(text_of(row).split()) for row in source.parts["train"].inputs.take(np.arange(len(said)))]
        assert texts == [text + end for text in said]


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("a.csv", lambda p: p.write_text("text,label\n"), "there are no rows in it"),
        ("r.tsv", lambda p: p.write_text('"text"\t"label"\n"so \\"big\\""\t"a"\n'), "line 2: not a TSV file"),
        (
            "a.csv",
            lambda p: p.write_text("text\nhello\nworld\n"),
            r"there is no column of labels \(label\); it has text",
        ),
        ("a.csv", lambda p: p.write_text("text,label\nhello,a,b\n"), "line 2: there are 3 values for 2 columns"),
        (
            "a.csv",
            lambda p: p.write_text("text,label, label\nhello,a,b\n"),
            "two columns are called 'label'; rename one",
        ),
        ("a.csv", lambda p: p.write_text("text;label\nhello; you;a\n"), "put values with a semicolon in quotes"),
        (
            "a.tsv",
            lambda p: p.write_text('text\tlabel\n"so" he\nsaid\ta\n'),
            "must be in quotes, with its own quotes doubled",
        ),
        (
            "a.csv",
            lambda p: p.write_bytes(b"text,label\na\0b,c\n"),
            r"not a CSV file \(it has NUL bytes; remove them\)",
        ),
        ("a.csv", lambda p: p.write_bytes(b"text,label\n\xff\xfe,c\n"), "is not UTF-8 text"),
        ("a.csv", lambda p: p.write_text("text,label\n,a\n,b\n"), "there is no training sample in 2 rows; the first: "),
        ("a.csv", lambda p: p.write_text("text,label,split\nx,a,tran\n"), "line 2: .*'tran'"),
        ("a.jsonl", lambda p: p.write_text('{"text": "x", "label"\n'), "line 1: not JSON"),
        ("a.jsonl", lambda p: p.write_text('{"text": 7, "label": "a"}\n'), "line 1: text is 7, which is no text"),
        ("a.jsonl", lambda p: p.write_text("[1, 2]\n"), "line 1: expected an object"),
        ("a.jsonl", lambda p: p.write_text('{"text": "x", "label": 1.5}\n'), "a label is 1.5"),
        ("a.parquet", lambda p: p.write_bytes(b"PAR1"), "not a Parquet file"),
    ],
)
def test_bad_tables_are_refused_in_one_line(name: str, write: Write, words: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    with pytest.raises(DataError, match=words) as refused:
        opened(tmp_path / name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"text": "x", "label": "a"}\n'.encode("utf-16"), "is not UTF-8 text"),
        (b"text,label\n", "line 1: not JSON"),
        (b"", "there are no rows in it"),
    ],
)
def test_damage_is_named_where_the_samples_are_not_known(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=words):
        open_source(tmp_path / "a.jsonl", LIMIT)


def test_columns_with_usual_names_are_taken_without_a_word(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", [("x", *row) for row in written(8, 0)], ("package", "description", "category"))
    assert recognize(tmp_path / "a.csv").name == "text"
    assert not opened(tmp_path / "a.csv").assumed


def test_the_script_is_that_of_most_letters() -> None:
    assert list(map(script_of, ["D-Bus を使う", "Übung 中", "中文 ab 汉字", "1 😀"])) == [
        "Latin",
        "Latin",
        "Han",
        "none",
    ]
    assert script_of("PATH の形式が正しくありません") == "Hiragana"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_head_may_have_lines_before_it_and_ends_of_lines_and_separators_in_quotes(
    separator: str, tmp_path: Path
) -> None:
    head = separator.join(['"id, or\nnumber; or\tname"', "text", "label"])
    rows = [separator.join(["1", f'"{text}"', label]) for text, label in written(8, 0)]
    (tmp_path / "a.csv").write_text("\n".join(["", head, *rows]))
    assert recognize(tmp_path / "a.csv").name == "text"
    source = opened(tmp_path / "a.csv")
    assert (source.classes, source.assumed) == (("money", "sport"), ())


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("text,label\nhello,a\nworld,b\n".encode("utf-8-sig"))
    assert opened(tmp_path / "a.csv").left_out == ()
