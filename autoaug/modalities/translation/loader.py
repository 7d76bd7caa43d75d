"""Open data sets of texts and their translations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.layouts.table import marked_copies
from autoaug.data.source import Part, Role, Source
from autoaug.data.texts import encode_pairs, plain_text
from autoaug.errors import DataError, OptionError, printable
from autoaug.modalities.base import AS_SUITS, Reading
from autoaug.modalities.text.languages import foreign
from autoaug.modalities.text.lexicon import described
from autoaug.modalities.text.loader import length_for
from autoaug.modalities.text.protected import protected_words
from autoaug.modalities.text.scripts import mixed, script_of
from autoaug.modalities.text.tokens import tokenized
from autoaug.modalities.text.translators import VARIABLE, translator
from autoaug.modalities.translation.corpus import Corpus, Pair, read_corpus, recognizes
from autoaug.modalities.translation.pairs import PIECES, SOURCE, TARGET, stacked, texts_of
from autoaug.modalities.translation.pieces import Speller

__all__ = ["as_array", "extra_arrays", "open", "recognizes", "suffix", "write"]

suffix = ".tsv"
extra_arrays: Mapping[str, np.ndarray] = {}

#: A pair is uneven if one text is more than so many times as long, next to the other, as is usual in the data (texts
#: that are cut into letters have many), and has more than so many words.
_TIMES, _FEW = 3, 6
_LOOKED_AT = 200
#: Two typical pairs fit behind each other.
_ROOM = 2.2

#: Operators that need translations back, and what to do for them.
_NO_BACKS = {
    "BackTranslation": "there are no translations of the targets back; add a column back_translation, or name a "
    f"translator, such as {VARIABLE}='apertium -u spa-eng'"
}
#: A tokenized pair, see `autoaug.modalities.translation.pairs`.
_Rows = tuple[list[bytes], list[bytes], list[bytes], list[bytes]]


def open(data: str, memory_limit: int, reading: Reading = AS_SUITS) -> Source:  # noqa: A001 (the seam's name)
    """Open a table, a TMX file, gettext's catalogs, two parallel files ``SOURCE,TARGET``, or a folder of such.

    Args:
        data: a path, or ``hf:NAME``.
        memory_limit: not used: tokens are in memory.
        reading: the length of all texts, in words and signs; shorter ones are padded, and longer ones are cut.

    Raises:
        DataError: the data do not exist, or break a rule of their format.
    """
    if len(reading.lengths) > 1 or reading.how != "crop":
        raise DataError(f"{data}: texts have one length, and are cut or padded: --size WORDS, without --resize")
    corpus = read_corpus(data)
    pairs = corpus.pairs
    speller = Speller([pair.target for pair in pairs if pair.role == "train"])
    cut = partial(tokenized, protected=protected_words(reading.protect))
    rows: list[_Rows] = [
        (cut(pair.source), cut(pair.target), speller.tokens(pair.target), cut(pair.back)) for pair in pairs
    ]
    longest = [max(own[:3], key=len) for pair, own in zip(pairs, rows, strict=True) if pair.role == "train"]
    length = reading.lengths[0] if reading.lengths else max(length_for(longest), int(_ROOM * median(map(len, longest))))
    tokens = stacked(rows, length)
    labels = encode_pairs([_texts(*of_pair, length) for of_pair in zip(pairs, rows, tokens, strict=True)])
    roles: list[Role] = [role for role in ("train", "validation", "test") if any(pair.role == role for pair in pairs)]

    def part(role: Role) -> Part:
        places = [place for place, pair in enumerate(pairs) if pair.role == role]
        own = [pairs[place] for place in places]
        groups = np.array([pair.group or pair.where for pair in own]) if any(pair.group for pair in pairs) else None
        names = tuple(printable(pair.where) for pair in own)
        return Part(MemoryInputs(tokens[places]), labels[places], groups, names, marked_copies(own))

    return Source(
        name=corpus.name,
        classes=speller.pieces,
        parts={role: part(role) for role in roles},
        unreadable=tuple(printable(words) for words in corpus.unreadable),
        forms=_forms(pairs, rows),
        rule=f"{length} words, signs or pieces, shorter texts are padded and longer ones are cut; {described()}",
        left_out=corpus.left_out,
        assumed=corpus.assumed,
        unusual=tuple(_unusual(corpus, rows, length)),
        lacking={} if translator() or any(pair.back for pair in pairs) else _NO_BACKS,
    )


def _texts(pair: Pair, rows: _Rows, tokens: np.ndarray, length: int) -> tuple[str, str]:
    """The texts of a pair, without what is cut."""
    is_cut = max(map(len, rows[:3])) > length
    return texts_of(tokens) if is_cut else (plain_text(pair.source), plain_text(pair.target))


def _forms(pairs: Sequence[Pair], rows: Sequence[_Rows]) -> dict[str, dict[str, int]]:
    """The scripts of both sides, and the bounds of their numbers of words and signs."""
    forms: dict[str, dict[str, int]] = {}
    for side, texts, place in (
        ("sources", [pair.source for pair in pairs], SOURCE),
        ("targets", [pair.target for pair in pairs], TARGET),
        ("targets in pieces", [], PIECES),
    ):
        lengths = sorted(len(own[place]) for own in rows)
        if texts:
            forms[f"scripts of {side}"] = dict(Counter(map(script_of, texts)).most_common())
        forms[f"length of {side}"] = {
            f"{lengths[0]} to {lengths[-1]}, half of them up to {median(lengths):g}": len(rows)
        }
    return forms


def _unusual(corpus: Corpus, rows: Sequence[_Rows], length: int) -> Iterator[str]:
    """What is readable and hardly meant, each with the number of pairs and the first of them."""
    pairs = corpus.pairs
    sides = [(plain_text(pair.source), plain_text(pair.target)) for pair in pairs]
    lengths = [(len(own[SOURCE]), len(own[TARGET])) for own in rows]
    usual = median(max(target, 1) / max(source, 1) for source, target in lengths)
    kinds: dict[str, list[bool]] = {
        "copies: both texts are the same": [source == target for source, target in sides],
        f"uneven: one text is more than {_TIMES} times as long, next to the other, as is usual here": [
            max(source, target) > _FEW and not source * usual / _TIMES <= target <= source * usual * _TIMES
            for source, target in lengths
        ],
        f"longer than {length} words, signs or pieces, and cut there (--size WORDS sets the length)": [
            max(map(len, own)) > length for own in rows
        ],
    }
    for what, are_so in kinds.items():
        found = [printable(pair.where) for pair, is_so in zip(pairs, are_so, strict=True) if is_so]
        if found:
            yield f"{len(found)} of {len(pairs)} pairs are {what}; the first: {found[0]}"
    names = [printable(pair.where) for pair in pairs]
    for side, texts in zip(("sources", "targets"), zip(*sides, strict=True), strict=True):
        yield from mixed(texts, [""] * len(texts), names, side)
    yield from _shared(pairs, sides)
    yield from foreign(own[SOURCE] for own in rows[:_LOOKED_AT])
    if translated := sum(bool(pair.back) for pair in pairs):
        yield f"{translated} of {len(pairs)} pairs have a translation of the target back, which BackTranslation uses"


def _shared(pairs: Sequence[Pair], sides: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Texts of one side that are in training and held out, with another text on the other side."""
    for place, side in enumerate(("source", "target")):
        roles: dict[str, set[str]] = defaultdict(set)
        for pair, both in zip(pairs, sides, strict=True):
            roles[both[place]].add(pair.role)
        found = [text for text, own in roles.items() if "train" in own and len(own) > 1]
        if found:
            yield f"{len(found)} {side}s are in the training split and in another one, such as {found[0][:60]!r}"


def write(sample: np.ndarray, path: Path) -> None:
    """Write a pair ``[4, L, 3]`` as a table with one row."""
    source, target = texts_of(sample)
    path.write_text(f"source\ttarget\n{_quoted(source)}\t{_quoted(target)}\n", encoding="utf-8")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def as_array(samples: np.ndarray) -> np.ndarray:
    """Not possible: pairs are kept as tables."""
    raise OptionError("pairs of texts have no form as an array; they are written as tables")
