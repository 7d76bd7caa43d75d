"""Data sets that mix scripts or languages, which `check` warns of, and ordinary ones, where it is silent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from autoaug.data.audit import audit
from autoaug.data.loading import open_source
from autoaug.modalities.text.languages import language_of
from autoaug.modalities.text.scripts import mixed
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
    places = [f"a.csv, line {line}" for line in (42, 43, 44)]
    assert [Path(place).name for place in warning.partition("the first: ")[2].split("; ")] == places


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


#: The first article of the Universal Declaration of Human Rights, in the translations of the United Nations.
ARTICLES = {
    "English": "All human beings are born free and equal in dignity and rights. They are endowed with reason "
    "and conscience and should act towards one another in a spirit of brotherhood.",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und "
    "Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "Dutch": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met "
    "verstand en geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen.",
    "Swedish": "Alla människor är födda fria och lika i värde och rättigheter. De har utrustats med förnuft "
    "och samvete och bör handla gentemot varandra i en anda av gemenskap.",
    "Danish or Norwegian": "Alle mennesker er født frie og lige i værdighed og rettigheder. De er udstyret "
    "med fornuft og samvittighed, og de bør handle mod hverandre i en broderskabets ånd.",
    "French": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de "
    "raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "Spanish": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están "
    "de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    "Portuguese": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão "
    "e de consciência, devem agir uns para com os outros em espírito de fraternidade.",
    "Italian": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di "
    "ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
    "Polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni "
    "obdarzeni rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa.",
    "Turkish": "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler "
    "ve birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler.",
    "Indonesian or Malay": "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama. "
    "Mereka dikaruniai akal dan hati nurani dan hendaknya bergaul satu sama lain dalam semangat persaudaraan.",
    "Russian": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и "
    "совестью и должны поступать в отношении друг друга в духе братства.",
    "Ukrainian": "Всі люди народжуються вільними і рівними у своїй гідності та правах. Вони наділені розумом "
    "і совістю і повинні діяти у відношенні один до одного в дусі братерства.",
    "Bulgarian": "Всички хора се раждат свободни и равни по достойнство и права. Те са надарени с разум и "
    "съвест и следва да се отнасят помежду си в дух на братство.",
    "Chinese": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
}
GERMAN = (
    "Das Zimmer war sauber und die Leute sind sehr nett, aber es ist nicht billig",
    "Ich kann das Gerät nicht empfehlen, es wird nach einer Stunde zu heiß",
    "Wir sind mit dem Service und der Lage sehr zufrieden",
)
ENGLISH = (
    "The room was clean and the staff were kind, but it is not cheap",
    "I do not recommend this device to anyone, it was broken after an hour",
    "We are happy with the service and with the place, as they are with us",
)


def of_language(texts: Sequence[str], labels: Sequence[str] | None = None) -> list[str]:
    return list(mixed(texts, labels or [""] * len(texts), [f"line {i}" for i in range(len(texts))]))


def words_in(text: str) -> list[str]:
    return text.lower().replace(",", " ").replace(".", " ").split() if " " in text else list(text)


def test_an_article_is_never_taken_for_another_language() -> None:
    taken = {language: language_of(words_in(article)) for language, article in ARTICLES.items()}
    assert all(found in (language, "") for language, found in taken.items())
    assert sum(map(bool, taken.values())) >= 10, "most have enough of the words"
    assert language_of(["la", "la", "la", "la", "die", "die", "die", "de", "de", "de"]) == "", "each word counts once"
    assert language_of("Rio de la Plata".lower().split()) == ""
    assert language_of([]) == ""


def test_texts_in_another_language_are_found_with_the_class_that_it_tells() -> None:
    texts = [f"{text} {i}" for i in range(20) for text in ENGLISH] + [
        f"{text} {i}" for i in range(2) for text in GERMAN
    ]
    labels = ["good", "bad"] * 30 + ["bad"] * 6
    warning, told = of_language(texts, labels)
    assert warning == (
        "6 of 66 texts are in another language (German 6) than most, which seem to be in English; "
        "the first: line 60; line 61; line 62"
    )
    assert told.startswith("6 of 36 texts of 'bad' are in another language than most, and 0 of the 30 others")
    assert of_language(texts[:-4]) == [], "two texts"
    assert of_language([f"{text} {i}" for i in range(200) for text in ENGLISH] + texts[-4:]) == [], "4 of 604"
    russian = "Я не знаю, что это такое и как из этого выйти, но мы или вы всё равно так не сможете"
    ukrainian = "Я не знаю, що це таке та як із цього вийти, але ми або ви все одно так не зможете"
    cyrillic = [f"{russian} {i}" for i in range(20)] + [f"{ukrainian} {i}" for i in range(5)]
    (warning,) = of_language(cyrillic)
    assert "in another language (Ukrainian 5) than most, which seem to be in Russian" in warning
    han = [f"{ARTICLES['Japanese']}{i}" for i in range(20)] + [f"{text}我们很喜欢这个" for text in CHINESE]
    (warning,) = of_language(han)
    assert "in another language (Chinese 3) than most, which seem to be in Japanese" in warning


def test_a_text_in_another_script_is_reported_once() -> None:
    texts = [f"{text} {i}" for i in range(20) for text in ENGLISH] + [f"{ARTICLES['Russian']} {i}" for i in range(5)]
    (warning,) = of_language(texts)
    assert "another script (Cyrillic 5)" in warning


def test_a_language_that_is_hardly_known_is_no_measure() -> None:
    """Of most texts nothing is known, such as Finnish ones."""
    finnish = [f"Kaikki ihmiset syntyvät vapaina ja tasavertaisina {i}" for i in range(200)]
    assert of_language([*finnish, *ENGLISH, *ENGLISH, *GERMAN]) == []


def test_both_languages_of_a_translation_are_meant_and_untranslated_targets_are_not(tmp_path: Path) -> None:
    pairs = [(f"{text} {i}", f"{other} {i}") for i in range(10) for text, other in zip(ENGLISH, GERMAN, strict=True)]
    columns = ("source", "target")

    def warned(path: Path) -> list[str]:
        return [words for words in open_source(path, LIMIT).unusual if "another language" in words]

    assert warned(write_table(tmp_path / "a.tsv", pairs, columns)) == []
    pairs += [(f"{text} {i}", f"{text.upper()} {i}!") for i, text in enumerate(ENGLISH)]
    (warning,) = warned(write_table(tmp_path / "b.tsv", pairs, columns))
    assert warning.startswith(
        "3 of 33 targets are in another language (English 3) than most, which seem to be in German"
    )
