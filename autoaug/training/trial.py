"""A trial: one policy trained and scored once, a pure function of (policy, share, task, seed)."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from autoaug.data.pool import Pool
from autoaug.data.splits import Samples, nested_rows
from autoaug.errors import full_disk, typed_line
from autoaug.policy.models import Policy
from autoaug.results import Rung, TrialResult
from autoaug.training.checkpoint import checkpoint_path, load_training, save_training, save_weights, weights_file
from autoaug.training.recipe import Recipe
from autoaug.training.robustness import robust_accuracy
from autoaug.training.train import Training, new_training, predict, train, warm_up
from autoaug.utils.clock import now
from autoaug.utils.seeds import derive_seed

#: Shares of full length at which the validation accuracy is taken. Earlier rungs mislead: on 1,000 samples of
#: Fashion-MNIST the ranks at a quarter had a correlation of -0.16 with those at full length, at a half 0.30, because
#: strong policies take longer to pay.
RUNGS = (0.5, 1.0)
_MOST_OF_THE_REST = 5000


@dataclass(frozen=True, eq=False)
class Task:
    """What every trial of a search has in common. `test` is None during a search: a trial cannot see what is not
    there.

    Where the splits are exchangeable, a trial on a share of the training split is scored on the rest of it too: four
    times the samples, half the noise, for the price of looking at them.

    Trainings that stop on the way are kept in `checkpoints`, where there is such a folder, to be continued. `pools` has
    generated samples by the kind of their generator; where a kind is missing, its generator failed.
    """

    classes: int
    train: Samples
    validation: Samples
    test: Samples | None
    model: str
    recipe: Recipe
    device: str
    is_exchangeable: bool = False
    measures_robustness: bool = False
    checkpoints: Path | None = None
    pools: Mapping[str, Pool] = field(default_factory=dict)

    def warm_up(self) -> None:
        """Prepare this process for trials: one thread on CPU, the data on the device."""
        if self.device == "cpu":
            torch.set_num_threads(1)
        for samples in (self.train, self.validation, self.test):
            if samples is not None:
                warm_up(samples, self.device)

    def full_length_passes(self) -> int:
        """The compute of training one final model: samples passed through it, forward and backward."""
        return self.recipe.steps(len(self.train), 1) * self.recipe.batch_size


class Setting(Protocol):
    """What all work of a search has in common, sent to each worker once."""

    @property
    def device(self) -> str:
        """``cpu``, ``cuda`` or ``cuda:N``."""

    def warm_up(self) -> None:
        """Prepare this process."""


class Work(Protocol):
    """What a worker can be given: a training, or a strategy's own probe into the data."""

    def run(self, task: Any, seed: int) -> Iterator[TrialResult]:
        """Do it in a setting of the right kind, yielding the result so far wherever it may be stopped, and the whole
        result last.
        """


def carry_out(work: Work, task: Setting, seed: int) -> Iterator[TrialResult]:
    """Run `work`; an error that it lets through ends it as failed, with the reason."""
    started = now()
    try:
        yield from work.run(task, seed)
    except Exception as fault:  # whatever it is, the search goes on and groups the causes
        yield failed(TrialResult(started=started), fault)


@dataclass(frozen=True)
class Train:
    """Train and score `policy` on a stratified `data_fraction` of the training split, from a share `start` of the training's
    length to `stop`. Weights of a whole training are kept where `keeps_weights` says so: in the task's checkpoints, or
    else in the result.
    """

    policy: Policy
    data_fraction: float = 1.0
    start: float = 0.0
    stop: float = 1.0
    keeps_weights: bool = False

    def run(self, task: Task, seed: int) -> Iterator[TrialResult]:
        """Train in `task`."""
        return run_trial(self.policy, task, seed, self.data_fraction, self.start, self.stop, self.keeps_weights)


def run_trial(
    policy: Policy,
    task: Task,
    seed: int,
    data_fraction: float = 1.0,
    start: float = 0.0,
    stop: float = 1.0,
    keeps_weights: bool = False,
) -> Iterator[TrialResult]:
    """Train and score `policy`, yielding the result so far at every rung and the whole result last.

    The training runs for all epochs of the recipe over a nested, stratified `data_fraction` of the training split, drawn by
    `seed`, in batches as many times smaller: it takes as many steps as a full training. Less data ranks policies as
    full trainings do where fewer epochs, or steps, do not: strong policies need them.

    A training that goes on from a share `start` of its length takes up what an earlier trial of the same policy up to
    there left in the task's checkpoints; where that is not to be had, it first does it again, to the same result.

    Whoever runs it may stop asking after a rung; the result so far is then all there is: that is how a trial is
    pruned. A loss that is not finite, or an error in training, ends it as failed, with the reason. Where memory runs
    out it is tried once more, each batch in two halves, and a note says so.
    """
    begun = TrialResult(started=now())
    try:
        yield from _train_and_score(policy, task, seed, data_fraction, start, stop, keeps_weights, begun, parts=1)
        return
    except _OutOfMemory:
        gc.collect()
        if task.device.startswith("cuda"):
            torch.cuda.empty_cache()
    again = replace(begun, note="memory ran out: trained again with each batch in two halves")
    yield from _train_and_score(policy, task, seed, data_fraction, start, stop, keeps_weights, again, parts=2)


def _train_and_score(
    policy: Policy,
    task: Task,
    seed: int,
    data_fraction: float,
    start: float,
    stop: float,
    keeps_weights: bool,
    result: TrialResult,
    parts: int,
) -> Iterator[TrialResult]:
    rows = nested_rows(task.train.labels, data_fraction, derive_seed(seed, "share")) if data_fraction < 1 else None
    rest = _rest(task, rows)
    recipe = task.recipe if rows is None else task.recipe.for_share(data_fraction)
    rungs = [rung for rung in RUNGS if rung < stop] + [stop]
    robustness = math.nan
    try:
        training = _begun(policy, task, seed, data_fraction, start)
        pool, note = _pool(policy, task)
        result = replace(result, note=" ".join(filter(None, [result.note, note])))
        steps = train(training, policy, task.train, task.classes, recipe, seed, task.device, rungs, rows, parts, pool)
        for reached in steps:
            if reached <= start:
                continue
            found = predict(training.model, task.validation.inputs, task.device)
            right = found == task.validation.labels
            if len(rest):
                others = predict(training.model, task.train.inputs, task.device, rest)
                right = np.concatenate([right, others == task.train.labels[rest]])
            rung = Rung(max(1, round(reached * task.recipe.epochs)), float(right.mean()))
            result = replace(result, curve=(*result.curve, rung), ended=now(), **vars(training.meter))
            if reached < stop:
                yield result
        if task.checkpoints and (stop < 1 or keeps_weights):
            save = save_weights if stop == 1 else save_training
            save(training, checkpoint_path(task.checkpoints, policy, data_fraction, seed, stop))
        elif keeps_weights:
            result = replace(result, weights=weights_file(training, policy, seed))
        if task.measures_robustness:
            robustness = robust_accuracy(training.model, task.validation, task.classes, task.device)
        tested = None if task.test is None else predict(training.model, task.test.inputs, task.device)
    except Exception as fault:  # a user's model may raise anything; the search goes on and groups the causes
        if parts == 1 and _is_out_of_memory(fault):
            raise _OutOfMemory from None
        yield failed(result, fault)
        return
    yield replace(
        result,
        status="complete",
        accuracy=rung.accuracy,
        robustness=robustness,
        ended=now(),
        validation_predictions=found,
        test_predictions=tested,
    )


def _begun(policy: Policy, task: Task, seed: int, data_fraction: float, start: float) -> Training:
    """A fresh training, or what one left behind that stopped at `start`."""
    training = new_training(task.model, task.train, task.classes, seed)
    if start and task.checkpoints:
        load_training(training, checkpoint_path(task.checkpoints, policy, data_fraction, seed, start))
    return training


def _pool(policy: Policy, task: Task) -> tuple[Samples | None, str]:
    """The generated samples that the policy asks for, and what is to be said of them."""
    if policy.synthetic is None:
        return None, ""
    pool = task.pools.get(policy.synthetic.kind)
    if pool is None:
        return None, f"without generated samples: the {policy.synthetic.kind} failed"
    samples = pool.above(policy.synthetic.confidence)
    if not len(samples):
        return None, f"without generated samples: none of the {policy.synthetic.kind}'s is sure enough"
    return samples, ""


def _rest(task: Task, rows: np.ndarray | None) -> np.ndarray:
    """Training rows to score a trial on that is trained on `rows` alone: some thousands, spread over the set."""
    if rows is None or not task.is_exchangeable:
        return np.empty(0, np.int64)
    rest = np.setdiff1d(np.arange(len(task.train)), rows)
    return rest[np.unique(np.linspace(0, len(rest) - 1, min(_MOST_OF_THE_REST, len(rest))).astype(np.int64))]


class _OutOfMemory(Exception):
    """Memory ran out in a training that may be tried again."""


def _is_out_of_memory(fault: Exception) -> bool:
    words = ("out of memory", "can't allocate memory", "not enough memory")
    is_known = isinstance(fault, MemoryError | torch.cuda.OutOfMemoryError)
    return is_known or any(word in str(fault).lower() for word in words)


def failed(result: TrialResult, fault: BaseException) -> TrialResult:
    """The result so far of a trial that `fault` ended."""
    is_full = full_disk(fault) is not None
    reason = typed_line(fault)
    return replace(result, status="failed", accuracy=math.nan, reason=reason, disk_full=is_full, ended=now())
