"""Predicted texts beside the true ones, for readers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from autoaug.results.record import Record, Unit


class Transcript(Record):
    """The text of a test sample, and what the first seeds of two candidates predicted; of a translation, also its
    source.
    """

    text: str
    before: str
    after: str
    source: str = ""


class WordErrors(Record):
    """A word of the test texts, how often it is there, and the share of the times that two candidates missed it."""

    word: str
    count: Annotated[int, Field(ge=1)]
    before: Unit
    after: Unit


class Transcripts(Record):
    """Test texts as two candidates, named `before` and `after`, predicted them: `examples`, spread over the test split,
    and the `words` that are missed most often, over all seeds.
    """

    before: str
    after: str
    examples: tuple[Transcript, ...]
    words: tuple[WordErrors, ...]
