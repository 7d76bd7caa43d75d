"""Operators on texts in Python alone, with the same numbers as those in `autoaug.modalities.text`, which explain them.

A text is a list of tokens, each a word with its flags (see `flags_of_word`). Shares are numbers, uniforms are four
numbers in [0, 1).
"""

from __future__ import annotations

import math
import os
import struct
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autoaug.modalities.text.letters import Letters
from autoaug.modalities.text.own_homophones import OwnHomophones
from autoaug.modalities.text.own_lexicon import OwnLexicon
from autoaug.modalities.text.segmentation import (
    changeable,
    cleaned,
    flags_of_word,
    lowered,
    segments,
    text_from,
    units_of,
)
from autoaug.modalities.text.thesaurus import groups_in, synonyms, wordnet_groups
from autoaug.modalities.text.vocabulary import Vocabulary

Token = tuple[str, int]
Tokens = list[Token]
#: Synonyms by word, and words that sound alike, read when they are first needed.
LEXICON: dict[str, list[str]] = {}
HOMOPHONES: dict[str, list[str]] = {}
#: By their texts.
VOCABULARIES: dict[str, Vocabulary] = {}


def scramble(x: int) -> int:
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def random_bits(uniforms: Sequence[float], count: int) -> list[int]:
    first, second = (int(u * 2**24) for u in uniforms[:2])
    return [scramble(scramble((i + (first << 8)) & 0xFFFFFFFF) ^ second) for i in range(count)]


def beginnings(tokens: Tokens) -> list[int]:
    """The places of words, of long ones that of the first part."""
    return [i for i, (_, flags) in enumerate(tokens) if flags & 130 == 2]


def words_in(tokens: Tokens) -> int:
    return len(beginnings(tokens))


def count(share: float, there: int) -> int:
    return min(max(int(share * there), 1), there) if share > 0 else 0


def drawn_from(places: Sequence[int], size: int, uniforms: Sequence[float]) -> list[int]:
    """The places in a random order."""
    bits = random_bits(uniforms, size)
    return sorted(places, key=lambda i: (bits[i], i))


def chosen(tokens: Tokens, places: Sequence[int], share: float, uniforms: Sequence[float]) -> list[int]:
    return drawn_from(places, len(tokens), uniforms)[: count(share, words_in(tokens))]


def word_deletion(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    bits, allowed = random_bits(uniforms, len(tokens)), changeable(tokens)
    last = max((bits[i] for i in allowed), default=-1)
    deleted = {i for i in allowed if bits[i] < share * 2**32 and bits[i] < last}
    return [token for i, token in enumerate(tokens) if i not in deleted]


def word_swap(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    order = drawn_from(changeable(tokens), len(tokens), uniforms)
    pairs = min(count(share, words_in(tokens)), len(order) // 2)
    made = list(tokens)
    for i, j in zip(order[:pairs], order[pairs : 2 * pairs], strict=True):
        made[i], made[j] = tokens[j], tokens[i]
    return made


def span_cutout(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    width = min(count(share, len(tokens)), max(len(tokens) - 1, 0))
    begin = math.floor(uniforms[2] * (len(tokens) - width + 1))
    first, made = 0, []
    for i, token in enumerate(tokens):
        first = first if token[1] & 128 else i
        if not begin <= first < begin + width or token[1] & 4:
            made.append(token)
    return made or tokens


def sentence_shuffle(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    sentence, number = [], 0
    for i, (_, flags) in enumerate(tokens):
        sentence.append(number)
        number += flags & 16 > 0 and not (i + 1 < len(tokens) and tokens[i + 1][1] & 16)
    many = max(sentence, default=0) + 1
    moved = [bits / 2**32 * (share * many) for bits in random_bits(uniforms, len(tokens))]
    return [tokens[i] for i in sorted(range(len(tokens)), key=lambda i: sentence[i] + moved[sentence[i]])]


def punctuation_insertion(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    before = set(chosen(tokens, beginnings(tokens), share, uniforms))
    bits, made = random_bits(uniforms[2:], len(tokens)), []
    for i, token in enumerate(tokens):
        if i in before:
            sign = ".;?:!,"[bits[i] % 6]
            made.append((sign, flags_of_word(sign, token[1] & 1) + 32))
        made.append(token)
    return made


def punctuation_deletion(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    bits = random_bits(uniforms, len(tokens))
    signs = [i for i, (_, flags) in enumerate(tokens) if not flags & 6]
    deleted = {i for i in signs if bits[i] < share * 2**32}
    if signs and len(signs) == len(tokens):
        deleted.discard(max(signs, key=lambda i: bits[i]))
    return [token for i, token in enumerate(tokens) if i not in deleted]


def text_in(file: str, variable: str) -> str:
    """The text of a file that an environment variable names."""
    try:
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as fault:
        raise ValueError(f"{variable} must name a file of text in UTF-8, not {file!r} ({fault})") from None


def lexicon_groups() -> Iterator[list[str]]:
    """The groups of synonyms of the lexicon below, of the file in the environment variable ``AUTOAUG_LEXICON``, and of
    WordNet where it is installed.
    """
    texts, given = [OwnLexicon.groups], os.environ.get("AUTOAUG_LEXICON")
    if given:
        texts.append(text_in(given, "AUTOAUG_LEXICON"))
    yield from (group for text in texts for group in groups_in(text))
    folder = Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet"))
    if os.path.isfile(folder / "data.noun"):
        for part in ("noun", "verb", "adj", "adv"):
            yield from wordnet_groups((folder / f"data.{part}").read_text(encoding="utf-8"))


def synonyms_of(tokens: Tokens, uniforms: Sequence[float]) -> dict[int, Token]:
    """A synonym that is drawn for each word that says something and has any, by place."""
    if not LEXICON:
        LEXICON.update(synonyms(lexicon_groups()))
    return others_of(tokens, LEXICON, 8, uniforms)


def others_of(tokens: Tokens, known: dict[str, list[str]], spared: int, uniforms: Sequence[float]) -> dict[int, Token]:
    """Another word that is drawn for each of those that are known and do not have the flag, by place."""
    bits, found = random_bits(uniforms[2:], len(tokens)), {}
    for i in changeable(tokens):
        word, flags = tokens[i]
        others = known.get(lowered(word))
        if others and not flags & spared:
            other = others[bits[i] % len(others)]
            found[i] = like(tokens[i], other)
    return found


def synonym_replacement(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    found = synonyms_of(tokens, uniforms)
    replaced = set(chosen(tokens, list(found), share, uniforms))
    return [found[i] if i in replaced else token for i, token in enumerate(tokens)]


def homophone(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    if not HOMOPHONES:
        HOMOPHONES.update(synonyms(groups_in(OwnHomophones.groups)))
    found = others_of(tokens, HOMOPHONES, 0, uniforms)
    replaced = set(chosen(tokens, list(found), share, uniforms))
    return [found[i] if i in replaced else token for i, token in enumerate(tokens)]


def tf_idf_replacement(tokens: Tokens, share: float, uniforms: Sequence[float], learned: str) -> Tokens:
    if learned not in VOCABULARIES:
        VOCABULARIES[learned] = Vocabulary(learned)
    known = VOCABULARIES[learned]
    words = {i: lowered(tokens[i][0]) for i in changeable(tokens)}
    often = Counter(words.values())
    scores = {i: often[word] * known.idf.get(word, known.rare) for i, word in words.items()}
    highest, made = max(scores.values(), default=0), list(tokens)
    below = {i: highest - score for i, score in scores.items()}
    total = max(sum(below.values()), 1)
    bits, drawn = random_bits(uniforms, len(tokens)), random_bits(uniforms[2:], len(tokens))
    for i, size in below.items():
        if bits[i] < share * len(below) * size / total * 2**32:
            made[i] = like(tokens[i], known.words[bisect(known.ends, drawn[i])])
    return made


def like(token: Token, word: str) -> Token:
    """A word with the space and, where it is ASCII, the capital of a token."""
    capital = "A" <= token[0][0] <= "Z" and "a" <= word[0] <= "z"
    return (word[0].upper() + word[1:] if capital else word), flags_of_word(word, token[1] & 1)


def synonym_insertion(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    found = synonyms_of(tokens, uniforms)
    picked = chosen(tokens, list(found), share, uniforms)
    slots = drawn_from(beginnings(tokens), len(tokens), [*uniforms[2:], *uniforms[:2]])
    new = {slot: (found[i][0], found[i][1] + 32) for slot, i in zip(slots, picked, strict=False)}
    return [t for i, token in enumerate(tokens) for t in ([new[i]] if i in new else []) + [token]]


def changed(
    tokens: Tokens, share: float, uniforms: Sequence[float], change: Callable[[str, int], str], fewest: int = 4
) -> Tokens:
    allowed = [i for i in changeable(tokens) if tokens[i][0].isascii() and tokens[i][0].isalpha()]
    places = chosen(tokens, [i for i in allowed if len(tokens[i][0]) >= fewest], share, uniforms)
    bits, made = random_bits(uniforms[2:], len(tokens)), list(tokens)
    for i in places:
        word, flags = tokens[i]
        made[i] = change(word, bits[i]), flags
    return made


def other_letter(word: str, bits: int, others: dict[str, str]) -> str:
    place = 1 + bits % (len(word) - 2)
    found = others.get(word[place].lower(), word[place].lower())
    other = found[(bits >> 8) % len(found)]
    return word[:place] + (other.upper() if word[place].isupper() else other) + word[place + 1 :]


def keyboard_typo(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    return changed(tokens, share, uniforms, lambda word, bits: other_letter(word, bits, Letters.keyboard))


def scanner_error(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    return changed(tokens, share, uniforms, lambda word, bits: other_letter(word, bits, Letters.scanned))


def letter_swap(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    def change(word: str, bits: int) -> str:
        i = 1 + bits % (len(word) - 3)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]

    return changed(tokens, share, uniforms, change)


def letter_deletion(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    def change(word: str, bits: int) -> str:
        i = 1 + bits % (len(word) - 2)
        return word[:i] + word[i + 1 :]

    return changed(tokens, share, uniforms, change)


def case_change(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    def change(word: str, bits: int) -> str:
        return word.upper() if word == word.lower() else word.lower()

    return changed(tokens, share, uniforms, change, fewest=1)


def draw_operations(table: Any, n: int, generator: Any) -> list[list[tuple[int, float, list[float]]]]:
    """For each of n texts, the operator (-1 for none), its magnitude and four uniform numbers in every step."""
    drawn = []
    for _ in range(n):
        steps = []
        for sub_policies in table:
            weights = [weight for weight, _ in sub_policies]
            ((_, operations),) = generator.choices(sub_policies, weights)
            for operator, probability, low, high, _ in operations:
                index = operator if generator.random() < probability else -1
                size = low + generator.random() * (high - low)
                steps.append((index, size, [generator.random() for _ in range(4)]))
        drawn.append(steps)
    return drawn


def rounded(number: float) -> float:
    """The nearest number of 32 bits."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def protected_words() -> frozenset[str]:
    """The words in the file that the environment variable ``AUTOAUG_PROTECT`` names; none without it."""
    given = os.environ.get("AUTOAUG_PROTECT")
    return units_of(text_in(given, "AUTOAUG_PROTECT")) if given else frozenset()


def tokens_of(text: str, protected: frozenset[str]) -> Tokens:
    return [
        (word, flags_of_word(word, before) | 4 * (word.lower() in protected))
        for word, before in segments(cleaned(text))
    ]


def fitting(tokens: Tokens, room: int) -> Tokens:
    """As many tokens as there is room for. What was just inserted has the flag 32, which is taken off; the last of it
    that would push a word that was there and must stay out of the room is left out.
    """
    end = max((i + 1 for i, (_, flags) in enumerate(tokens) if flags & 36 == 4), default=0)
    inserted = [i for i, (_, flags) in enumerate(tokens[:end]) if flags & 32]
    left_out = set(inserted[len(inserted) - max(end - room, 0) :])
    return [(word, flags & ~32) for i, (word, flags) in enumerate(tokens) if i not in left_out][:room]


def apply_operations(texts: Sequence[str], drawn: Sequence[Sequence[tuple[int, float, Sequence[float]]]]) -> list[str]:
    """Apply to each text its operators in order. A batch has room for twice as many words as its longest text."""
    protected = protected_words()
    split = [tokens_of(text, protected) for text in texts]
    room, made = 2 * max(map(len, split), default=0) + 1, []
    for text, given, steps in zip(texts, split, drawn, strict=True):
        tokens = given
        for index, magnitude, uniforms in steps:
            if index >= 0:
                _, function, limit = OPERATORS[index]
                tokens = fitting(function(tokens, rounded(rounded(magnitude) * rounded(limit)), uniforms), room)
        made.append(text if tokens == given else text_from(tokens))
    return made


#: Kind, function and value at magnitude 1 of each operator; an exported module has its own list.
OPERATORS: list[tuple[str, Callable[..., Tokens], float]] = []
