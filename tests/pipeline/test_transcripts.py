"""What candidates made of the texts of the test samples."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.data.texts import encode_texts
from autoaug.evaluation.scoring import ConfirmedTraining
from autoaug.pipeline.transcripts import mean_errors, predicted_texts, transcripts_of
from autoaug.training.transcription import Transcription

TEXTS = ["one", "two two", "three", "four"]


def outcome(rows: list[int], texts: list[str]) -> ConfirmedTraining:
    none = np.zeros((len(rows), 2))
    return ConfirmedTraining(encode_texts(texts), encode_texts(texts), 1.0, none, none, np.array(rows))


def test_with_folds_each_sample_has_the_text_of_the_first_training_that_was_tested_on_it() -> None:
    test = Samples(MemoryInputs(np.zeros((len(TEXTS), 1, 4), np.float32)), encode_texts(TEXTS))
    job = cast("Any", SimpleNamespace(data=SimpleNamespace(test=test)))
    trainings = [outcome([0, 3], ["one", "for"]), outcome([1, 2], ["two", "three"]), outcome([2, 3], ["tree", "four"])]
    assert predicted_texts(job, trainings) == ["one", "two", "three", "for"]
    assert mean_errors(job, trainings).tolist() == [0, 1, 0.5, 0.5]


@pytest.mark.parametrize("folds", [[[0, 1, 2, 3]], [[0, 3], [1, 2]], [[0], [1], [2, 3]]])
@pytest.mark.parametrize("rounds", [1, 2])
def test_words_are_counted_once_per_text_however_many_seeds_and_folds(folds: list[list[int]], rounds: int) -> None:
    """One candidate recognizes nothing, the other everything but the second of two equal words."""
    test = Samples(MemoryInputs(np.zeros((len(TEXTS), 1, 4), np.float32)), encode_texts(TEXTS))
    count = SimpleNamespace(count=len(folds)) if len(folds) > 1 else None
    job = cast("Any", SimpleNamespace(data=SimpleNamespace(test=test, folds=count), task=Transcription("abc")))
    turns = dict(enumerate(folds * rounds))
    none, other = (SimpleNamespace(name=name, seeds=tuple(turns)) for name in ("none", "other"))
    result = cast("Any", SimpleNamespace(candidates=(none, other), returned_candidate=other))
    heard = ["one", "two", "three", "four"]
    trainings = {("none", seed): outcome(rows, ["" for _ in rows]) for seed, rows in turns.items()}
    trainings |= {("other", seed): outcome(rows, [heard[row] for row in rows]) for seed, rows in turns.items()}
    transcripts = transcripts_of(job, result, cast("Any", SimpleNamespace(trainings=trainings)))
    assert transcripts is not None
    assert {row.word: (row.count, row.before, row.after) for row in transcripts.words} == {
        "one": (1, 1.0, 0.0),
        "two": (2, 1.0, 0.5),
        "three": (1, 1.0, 0.0),
        "four": (1, 1.0, 0.0),
    }
