"""What two candidates made of the texts of the test samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from autoaug.data.inputs import spread_rows
from autoaug.data.labels import TEXTS, kind_of, target_texts
from autoaug.data.texts import decode_texts
from autoaug.evaluation.scoring import ConfirmedTraining
from autoaug.pipeline.confirming import Confirmed
from autoaug.pipeline.job import Job
from autoaug.report.before_after import before_and_after
from autoaug.results import SearchResult, Transcript, Transcripts, WordErrors
from autoaug.training.metrics import WordErrorRate, recognized_words

_EXAMPLES, _WORDS = 12, 20


def transcripts_of(job: Job, result: SearchResult, confirmed: Confirmed) -> Transcripts | None:
    """The texts as the two candidates that are shown side by side predicted them; None if no texts are predicted, or
    there is one candidate.
    """
    pair = before_and_after(result)
    if kind_of(job.data.test.labels) not in TEXTS or pair is None:
        return None
    before, after = ([confirmed.trainings[c.name, seed] for seed in c.seeds] for c in pair)
    rows = before[0].test_rows
    shown = spread_rows(len(rows), _EXAMPLES)
    labels = job.data.test.labels[rows[shown]]
    sources = decode_texts(labels[:, 0]) if labels.ndim == 3 else [""] * len(labels)
    predicted = (decode_texts(side[0].test_predictions[shown]) for side in (before, after))
    examples = [
        Transcript(source=source, text=text, before=a, after=b)
        for source, text, a, b in zip(sources, decode_texts(target_texts(labels)), *predicted, strict=True)
    ]
    (occurs, missed), (occurs_after, missed_after) = (_words(job, side) for side in (before, after))
    rounds = len(before) // (job.data.folds.count if job.data.folds else 1)  # each tests the whole split once
    words = [
        WordErrors(
            word=word,
            count=count // rounds,
            before=missed[word] / count,
            after=missed_after[word] / occurs_after[word],
        )
        for word, count in occurs.items()
    ]
    worst = sorted(words, key=lambda row: (-row.after * row.count, row.word))[:_WORDS]
    return Transcripts(before=pair[0].name, after=pair[1].name, examples=tuple(examples), words=tuple(worst))


def _words(job: Job, trainings: Sequence[ConfirmedTraining]) -> tuple[Counter[str], Counter[str]]:
    """How often each word is in the texts that the trainings were tested on, and how often it was missed."""
    occurs, missed = Counter[str](), Counter[str]()
    for training in trainings:
        texts = decode_texts(target_texts(job.data.test.labels[training.test_rows]))
        for text, predicted in zip(texts, decode_texts(training.test_predictions), strict=True):
            words = text.split()
            occurs.update(words)
            found = recognized_words(words, predicted.split())
            missed.update(word for word, is_found in zip(words, found, strict=True) if not is_found)
    return occurs, missed


def mean_errors(job: Job, trainings: Sequence[ConfirmedTraining]) -> np.ndarray:
    """The mean number ``[n]`` of wrong words in each test sample, over the trainings that were tested on it."""
    rows = np.concatenate([training.test_rows for training in trainings])
    errors = [
        WordErrorRate().statistics(training.test_predictions, target_texts(job.data.test.labels[training.test_rows]))[
            :, 0
        ]
        for training in trainings
    ]
    counts = np.bincount(rows, minlength=len(job.data.test))
    means: np.ndarray = np.bincount(rows, np.concatenate(errors), len(counts)) / np.maximum(1, counts)
    return means


def predicted_texts(job: Job, trainings: Sequence[ConfirmedTraining]) -> list[str]:
    """What was predicted for each test sample by the first of the trainings that was tested on it."""
    texts = [""] * len(job.data.test)
    for training in reversed(trainings):
        for row, text in zip(training.test_rows.tolist(), decode_texts(training.test_predictions), strict=True):
            texts[row] = text
    return texts
