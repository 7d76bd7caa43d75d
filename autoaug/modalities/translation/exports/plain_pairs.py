"""Operators on pairs in Python alone, with the same numbers as those in `autoaug.modalities.translation`; see
`autoaug.modalities.text.exports.plain`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autoaug.modalities.text.exports.plain import (
    Tokens,
    fitting,
    protected_words,
    random_bits,
    rounded,
    tokens_of,
)
from autoaug.modalities.text.segmentation import changeable, text_from

OPERATORS: list[tuple[str, Callable[..., Tokens], float]] = []


def word_dropout(tokens: Tokens, share: float, uniforms: Sequence[float]) -> Tokens:
    bits, allowed = random_bits(uniforms, len(tokens)), set(changeable(tokens))
    dropped = {i for i in allowed if bits[i] < share * 2**32}
    return [("_", 66 | token[1] & 1) if i in dropped else token for i, token in enumerate(tokens)]


def local_shuffle(tokens: Tokens, reach: float, uniforms: Sequence[float]) -> Tokens:
    bits, allowed = random_bits(uniforms, len(tokens)), changeable(tokens)
    order = sorted(range(len(allowed)), key=lambda rank: rank + bits[allowed[rank]] / 2**32 * reach)
    made = list(tokens)
    for place, rank in zip(allowed, order, strict=True):
        made[place] = tokens[allowed[rank]]
    return made


def back_translation(pair: Sequence[Tokens], share: float, uniforms: Sequence[float]) -> Tokens:
    return pair[2] if uniforms[0] < share and len(pair) > 2 and pair[2] else pair[0]


def target_copy(pair: Sequence[Tokens], share: float, uniforms: Sequence[float]) -> Tokens:
    return pair[1] if uniforms[0] < share and pair[1] else pair[0]


def apply_to_pairs(pairs: Sequence[Sequence[str]], drawn: Sequence[Any]) -> list[tuple[str, ...]]:
    """Apply to each pair its operators in order. A batch has room for twice as many words as its longest text."""
    protected = protected_words()
    split = [[tokens_of(text, protected) for text in pair] for pair in pairs]
    room = 2 * max((len(tokens) for pair in split for tokens in pair), default=0) + 1
    made = []
    for texts, pair, steps in zip(pairs, split, drawn, strict=True):
        source = pair[0]
        for index, magnitude, uniforms in steps:
            if index >= 0:
                kind, function, limit = OPERATORS[index]
                value = rounded(rounded(magnitude) * rounded(limit))
                given: Any = [source, *pair[1:]] if kind == "pairs" else source
                source = fitting(function(given, value, uniforms), room)
        made.append((texts[0] if source == pair[0] else text_from(source), *texts[1:]))
    return made
