"""Predicted texts beside the true ones: what is marked."""

from __future__ import annotations

from autoaug.report.tables.transcripts import transcript_rows
from autoaug.results import Transcript, Transcripts


def test_words_that_the_true_text_lacks_are_marked_and_missing_ones_are_counted() -> None:
    example = Transcript(text="one two two three", before="one too", after="one two two three")
    rows = transcript_rows(Transcripts(before="none", after="noise", examples=(example,), words=()))
    assert rows[0].text == "one two two three"
    assert rows[0].before == ([("one", False), ("too", True)], 2)
    assert rows[0].after == ([(word, False) for word in ("one", "two", "two", "three")], 0)
    assert transcript_rows(None) == []
