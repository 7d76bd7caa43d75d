"""What candidates made of the texts of the test samples."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.data.texts import encode_texts
from autoaug.evaluation.scoring import ConfirmedTraining
from autoaug.pipeline.transcripts import mean_errors, predicted_texts

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
