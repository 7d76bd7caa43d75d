"""Carry out plans sample by sample on arrays, where the modality has an engine for that, and without torch.

A sample that drew an operator that this engine lacks is augmented by torch as a whole, together with all others of its
batch that did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.batches import taken
from autoaug.engine.plan import Plan
from autoaug.functional.sampling import Step
from autoaug.modalities.arrays import ArrayEngine, DrawnOperation
from autoaug.modalities.base import Batch
from autoaug.modalities.operators import get_operator

#: With fewer samples per thread, starting the threads costs more than they save.
_FEWEST_PER_THREAD = 16


def drawn_operations(steps: Sequence[Step], operators: Sequence[tuple[str, float]]) -> list[DrawnOperation]:
    """The steps of one sample, without those that do nothing; `operators` are the name and limit of each index."""
    return [
        DrawnOperation(operators[index][0], magnitude * operators[index][1], uniforms)
        for index, magnitude, uniforms in steps
        if index >= 0
    ]


def names_and_limits(operators: Sequence[str]) -> list[tuple[str, float]]:
    """The name and the value at magnitude 1 of each operator."""
    return [(name, get_operator(name).limit) for name in operators]


def run_on_arrays(
    engine: ArrayEngine, plan: Plan, samples: Sequence[np.ndarray], batch: Callable[[], Batch]
) -> list[np.ndarray]:
    """New arrays with the plan, which has no chains and no mixing, applied to each of the samples.

    Args:
        engine: of the samples' modality.
        plan: for as many samples.
        samples: see `autoaug.modalities.arrays.Opened`.
        batch: makes a batch of the same samples, for those that torch must augment.
    """
    operators = names_and_limits(plan.operators)
    rows = zip(*(t.transpose(0, 1).tolist() for t in (plan.choice, plan.magnitude, plan.uniforms)), strict=True)
    drawn = [drawn_operations(list(zip(*row, strict=True)), operators) for row in rows]
    lacks = {name for name in plan.operators if name not in engine.operators}
    left = {i for i, operations in enumerate(drawn) if lacks and any(o.operator in lacks for o in operations)}
    own = [i for i in range(len(drawn)) if i not in left]
    threads = max(1, min(torch.get_num_threads(), len(own) // _FEWEST_PER_THREAD))

    def run(part: Sequence[int]) -> list[np.ndarray]:
        return [engine.run(samples[i], drawn[i]) for i in part]

    if threads == 1:
        made = dict(zip(own, run(own), strict=True))
    else:
        parts = [own[i::threads] for i in range(threads)]
        with ThreadPoolExecutor(threads) as pool:
            made = dict(zip(chain(*parts), chain(*pool.map(run, parts)), strict=True))
    if left:
        made |= _by_torch(engine, plan, sorted(left), batch())
    return [made[i] for i in range(len(drawn))]


def _by_torch(engine: ArrayEngine, plan: Plan, rows: Collection[int], batch: Batch) -> dict[int, np.ndarray]:
    """The augmented samples of some rows, by row."""
    index = torch.tensor([*rows], dtype=torch.int64, device="cpu")
    tensors = {name: tensor.index_select(1, index) for name, tensor in plan.tensors().items()}
    opened = engine.opened(apply_plan(plan.with_tensors(tensors), taken(batch, index), check=False).values)
    assert opened is not None, "what was opened as arrays still can be"
    return dict(zip(rows, opened.samples, strict=True))
