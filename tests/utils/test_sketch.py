"""Sketches tell whether two sets share samples: against the sets themselves."""

from __future__ import annotations

import numpy as np

from autoaug.data.audit import hash_inputs
from autoaug.data.inputs import MemoryInputs
from autoaug.utils.sketch import count_shared, sketch, union


def digests(numbers: range) -> np.ndarray:
    return hash_inputs(MemoryInputs(np.array(numbers, dtype=np.int64)[:, None]))


def test_a_small_set_is_remembered_whole() -> None:
    known = sketch(digests(range(60)))
    assert count_shared(known, digests(range(50, 500))) == 10
    assert count_shared(known, digests(range(60, 500))) == 0
    assert count_shared("", digests(range(60))) == 0


def test_of_a_large_set_as_large_a_share_is_found_as_is_shared() -> None:
    known = sketch(digests(range(20_000)))
    assert len(known.split()) == 100
    assert 10 <= count_shared(known, digests(range(15_000, 30_000))) <= 45  # a quarter, within 4 deviations
    assert count_shared(known, digests(range(20_000, 40_000))) == 0


def test_a_union_is_the_sketch_of_both_sets() -> None:
    parts = sketch(digests(range(300))), sketch(digests(range(200, 900)))
    assert union(*parts) == sketch(digests(range(900)))
