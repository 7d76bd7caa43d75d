"""The language of a text, by its most frequent words, and whether the lexicon has synonyms of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

from autoaug.modalities.text.lexicon import FOLDER_VARIABLE, VARIABLE, own_file
from autoaug.modalities.text.tokens import WORD

#: Frequent words of languages, in lower case; of Chinese and Japanese, frequent characters. Languages that share nearly
#: all of them are one here. A language that is not here is unknown, or taken for a near one: Galician for Portuguese.
_WORDS = {
    "English": "the of and to a in is it that for was on with as are be this at by from not have or an you he they we "
    "but has if which were will",
    "German": "der die das und nicht ist ein eine zu den mit von sich auf für dem des auch es im als nach wird ich "
    "sie sind oder bei werden kann aus in wenn an um wie",
    "Dutch": "de het een van en niet ik dat is in op te zijn met voor er maar die aan wordt worden om ook bij naar "
    "door als heeft deze kan dit geen uit u",
    "Swedish": "och att det som är en inte på för av med den till ett kan jag har om från eller var de i vid denna "
    "men ska du",
    "Danish or Norwegian": "og det at er en på ikke som med den til af av for et jeg kan fra har eller blev ble var i "
    "ikkje dette denne men hvis du de",
    "French": "le la les de des et est un une que pas dans pour du en au sur qui ne il je ce avec vous par à l d si "
    "ou sont cette",
    "Spanish": "el la los las de que y en un una es no por con para del se su más lo al como este pero ha a si son "
    "sus le sin",
    "Portuguese": "o a os as de que e em um uma não com por para do da dos das no na se ao mais é foi são seu sua "
    "este ou mas ser",
    "Italian": "il la di che e un una non per è in del della i le gli con sono si da al dei nel più come lo a ma alla "
    "questo anche l",
    "Polish": "i w nie na się jest że z do to o jak a ale od przez dla po być lub są za co tak ma czy tylko tego ten",
    "Turkish": "ve bir bu için ile da de çok ne olarak olan gibi değil daha var ama veya eğer her en ya yok sonra "
    "kadar",
    "Indonesian or Malay": "yang dan di ini itu untuk dengan dari daripada tidak pada dalam adalah ke atau akan ada "
    "dapat oleh tak jika sebagai telah bagi boleh harus hanya",
    "Russian": "и в не на что с по это как из для к от но он она я так же или если все мы вы то а у о при только чем "
    "может его было чтобы бы",
    "Ukrainian": "і в у не на що з до та це як для є або який яка але й я про за під щоб якщо буде має може цей ви ми "
    "то а його було",
    "Bulgarian": "и на да се за е от в не по са с като до но той си или при този това а който ще към във без ако че "
    "ли бъде",
    "Chinese": "的 了 是 我 不 在 这 有 也 就 他 们 你 很 还 這 們 個 个 会 和 没 说 都 那 么 对",
    "Japanese": "の は を に が で と も か な し て た い る れ さ す こ ま",
}
_SETS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
#: A text has the language of which it has at least this many different words more than of any other.
_LEAD = 3
_ELSEWHERE = frozenset[str]().union(*(_SETS[name] for name in _SETS if name not in ("English", "Chinese")))
#: Words of languages other than English and Chinese that English does not have, and words of English alone.
_OTHERS, _ENGLISH = _ELSEWHERE - _SETS["English"], _SETS["English"] - _ELSEWHERE
#: Texts are foreign with such a share of words of other languages at least, and with such a one of English at most.
_FOREIGN, _OURS = 0.1, 0.03


def language_of(words: Collection[str]) -> str:
    """The language of a text with these words, in lower case, and characters of scripts without spaces; empty if they
    do not tell. Words that occur several times count once, since names and refrains have them.
    """
    different = set(words)
    counts = {language: len(different & own) for language, own in _SETS.items()}
    first, second = sorted(counts, key=lambda language: counts[language], reverse=True)[:2]
    return first if counts[first] - counts[second] >= _LEAD else ""


def foreign(texts: Iterable[Sequence[bytes]]) -> Iterator[str]:
    """A warning if tokenized texts are neither English nor Chinese, in which synonyms are, and the user has no lexicon
    of their language.
    """
    units = [unit for text in texts for unit in text if unit[0] & WORD]
    words = [unit[1:].rstrip(b"\0").decode(errors="replace").lower() for unit in units]
    others = sum(word in _OTHERS or _is_far(word[0]) for word in words)
    english = sum(word in _ENGLISH for word in words)
    if own_file() is None and others > _FOREIGN * len(words) and english < _OURS * len(words):
        yield (
            "the texts seem to be neither English nor Chinese, and there are no synonyms of other languages: words get "
            "none, or those of an English word that is spelled alike (the German 'die'); name your own synonyms with "
            f"{VARIABLE}=FILE, and leave WordNet out with {FOLDER_VARIABLE}=none"
        )


def _is_far(letter: str) -> bool:
    """Whether a letter is neither Latin nor Chinese."""
    return letter.isalpha() and not unicodedata.name(letter, "").startswith(("LATIN", "CJK"))
