"""Data sets that mix scripts, which `check` warns of, and ordinary ones, where it is silent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from autoaug.data.audit import audit
from autoaug.data.loading import open_source
from tests.modalities.text.writing import write_table, written

LIMIT = 2**30
RUSSIAN = (
    "Очень доволен покупкой, всё работает отлично",
    "Телефон Nokia пришёл вовремя и без повреждений",
    "Не советую этот магазин никому из друзей",
)
CHINESE = ("酒店位置很好，房间也很干净。", "手机用了三天就坏了，很失望", "服务员不太热情，但是价格便宜")
ARABIC = ("الخدمة ممتازة والغرفة نظيفة جدا", "لا أنصح بهذا المكان لأي شخص", "السعر مناسب والموقع قريب من البحر")
JAPANESE = (
    "これはとても良い本です",
    "東京都庁舎展望室無料開放",
    "コンピュータサイエンス",
    "昨日、新しいカメラを買いました",
)


def rows_of(texts: Sequence[str], n: int) -> list[tuple[str, str]]:
    return [(f"{texts[i % len(texts)]} {i}", ("sport", "money")[i % 2]) for i in range(n)]


def warnings_of(path: Path, modality: str = "text") -> list[str]:
    source = open_source(path, LIMIT, modality=modality)
    return [finding.message for finding in audit(source).findings if "another script" in finding.message]


@pytest.mark.parametrize(
    ("usual", "others", "words"),
    [
        ("Latin", RUSSIAN, "(Cyrillic 6) than most, which are in Latin"),
        ("Latin", CHINESE, "(Chinese or Japanese 6) than most, which are in Latin"),
        ("Chinese", ARABIC, "(Arabic 6) than most, which are in Chinese or Japanese"),
        ("Chinese", ("the room was clean and the staff was kind",), "(Latin 6) than most"),
        ("Latin", (*RUSSIAN, *ARABIC), "(Cyrillic 3, Arabic 3) than most"),
    ],
)
def test_a_few_texts_in_another_script_are_found(usual: str, others: Sequence[str], words: str, tmp_path: Path) -> None:
    most = list(written(60, 0)) if usual == "Latin" else rows_of(CHINESE, 60)
    few = rows_of(others, 6)
    path = write_table(tmp_path / "a.csv", [*most[:40], *few, *most[40:]])
    (warning,) = warnings_of(path)
    assert warning.startswith(f"6 of 66 texts are in another script {words}")
    assert warning.endswith("a.csv, line 42")


def test_a_class_that_its_script_tells_is_named(tmp_path: Path) -> None:
    rows = [*written(40, 0), *((text, "foreign") for text, _ in rows_of(RUSSIAN, 20))]
    told = (
        "20 of 20 texts of 'foreign' are in another script than most, and 0 of the 40 others; "
        "a model may tell this class by its script alone"
    )
    assert told in warnings_of(write_table(tmp_path / "a.csv", rows))
    half = [*written(200, 0), *((text, "sport") for text, _ in rows_of(CHINESE, 12))]
    _, told = warnings_of(write_table(tmp_path / "b.csv", half))
    assert told.startswith("12 of 112 texts of 'sport' are in another script than most, and 0 of the 100 others")
    names = [(name, label) for label in ("x", "y") for name in (["Anna", "Omar"], ["Анна", "Олег"])[label == "y"] * 20]
    assert len(warnings_of(write_table(tmp_path / "c.csv", names))) == 2, "texts of one word"
    folder = tmp_path / "folder"
    for i, (text, label) in enumerate(rows):
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{i:02}.txt").write_text(text, encoding="utf-8")
    first, told = warnings_of(folder)
    assert "first: " in first
    assert str(Path("foreign", "40.txt")) in first
    assert told.startswith("20 of 20 texts of 'foreign'")


@pytest.mark.parametrize(
    ("texts", "odd"),
    [
        (CHINESE, ("iPhone 6s Plus 很好", "OK", "very good", "Nokia N73 软件更新", "5月1日 12:30 👍", "ＯＫ，很满意")),
        (CHINESE, ("Samsung Galaxy S8 Plus 用起来不错", "没有 Windows XP 的 driver CD", "。。。！！！", "12345")),
        (
            ("the café was naïve and so was Zoë's résumé", "the wave is π α β γ long", "half of all is ½ m²"),
            ("😀😀😀😀😀😀", "µ", "𝓗𝓮𝓵𝓵𝓸 𝔀𝓸𝓻𝓵𝓭 𝓸𝓯 𝓸𝓾𝓻𝓼", "ǅ ĳ ﬁ ﬂ", "1 2 3 4 5", "Ω"),
        ),
        (ARABIC, ("https://example.com/a/b/c/d/e.html", "@some_user_name www.example.com", "غرفة في فندق Hilton")),
        (JAPANESE, ("ﾊﾝｶｸ ｶﾀｶﾅ ﾓｼﾞ", "Windows 10 のパソコン", "ＡＢＣ")),
        (RUSSIAN, ("USB", "телефон Samsung Galaxy S8", "iPhone 6 plus", "7,5 из 10")),
        (("😀", "👍👍", "123"), ("😢", "4 5")),
    ],
)
def test_ordinary_texts_raise_no_alarm(texts: Sequence[str], odd: Sequence[str], tmp_path: Path) -> None:
    assert warnings_of(write_table(tmp_path / "a.csv", [*rows_of(texts, 60), *rows_of(odd, len(odd))])) == []


def test_each_side_of_a_translation_has_its_own_script(tmp_path: Path) -> None:
    pairs = [(f"{text} {i}", f"{RUSSIAN[i % 3]} {i}") for i, (text, _) in enumerate(written(30, 0))]
    columns = ("source", "target")
    assert warnings_of(write_table(tmp_path / "a.tsv", pairs, columns), "translation") == []
    pairs[7] = (pairs[7][0], "This was never translated by anyone")
    (warning,) = warnings_of(write_table(tmp_path / "b.tsv", pairs, columns), "translation")
    assert warning.startswith("1 of 30 targets are in another script (Latin 1) than most, which are in Cyrillic")
    assert warning.endswith("b.tsv, line 9")
