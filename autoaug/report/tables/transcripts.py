"""Predicted texts beside the true ones, with what is wrong in them."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import NamedTuple

from autoaug.results import Transcripts


class MarkedText(NamedTuple):
    """The words of a predicted text, each with whether the true text lacks it there, and how many words are missing."""

    words: list[tuple[str, bool]]
    missing: int


class TranscriptRow(NamedTuple):
    """A true text, and the two predicted ones; of a translation, also its source."""

    source: str
    text: str
    before: MarkedText
    after: MarkedText


def transcript_rows(transcripts: Transcripts | None) -> list[TranscriptRow]:
    """A row per example; empty without texts."""
    examples = transcripts.examples if transcripts else ()
    return [TranscriptRow(e.source, e.text, _marked(e.text, e.before), _marked(e.text, e.after)) for e in examples]


def _marked(text: str, predicted: str) -> MarkedText:
    true, words = text.split(), predicted.split()
    right: set[int] = set()
    for block in SequenceMatcher(None, true, words, autojunk=False).get_matching_blocks():
        right.update(range(block.b, block.b + block.size))
    return MarkedText([(word, place not in right) for place, word in enumerate(words)], max(0, len(true) - len(words)))
