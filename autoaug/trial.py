"""A trial: one policy trained and scored once, a pure function of (policy, task, seed)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from autoaug.data.splits import Samples
from autoaug.policy import Policy
from autoaug.result import Rung, TrialResult
from autoaug.training.recipe import Recipe
from autoaug.training.train import new_training, predict, train, warm_up

#: Shares of full length at which the validation accuracy is taken. Earlier rungs mislead: on 1,000 images of
#: Fashion-MNIST the ranks at a quarter had a correlation of -0.16 with those at full length, at a half 0.30, because
#: strong policies take longer to pay.
RUNGS = (0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Task:
    """What every trial of a search has in common. `test` is None during a search: a trial cannot see what is not
    there.
    """

    classes: int
    train: Samples
    validation: Samples
    test: Samples | None
    model: str
    recipe: Recipe
    device: str

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


def run_trial(policy: Policy, task: Task, seed: int) -> Iterator[TrialResult]:
    """Train and score `policy`, yielding the result so far at every rung and the whole result last.

    Whoever runs it may stop asking after a rung; the result so far is then all there is: that is how a trial is
    pruned. A loss that is not finite, or an error in training, ends it as failed, with the reason.
    """
    result = TrialResult(started=time.time())
    try:
        training = new_training(task.model, task.train, task.classes, seed)
        for share in train(training, policy, task.train, task.classes, task.recipe, seed, task.device, RUNGS):
            found = predict(training.model, task.validation.images, task.device)
            rung = Rung(max(1, round(share * task.recipe.epochs)), float((found == task.validation.labels).mean()))
            result = replace(result, curve=(*result.curve, rung), ended=time.time(), **vars(training.meter))
            if share < 1:
                yield result
        tested = None if task.test is None else predict(training.model, task.test.images, task.device)
    except Exception as fault:  # a user's model may raise anything; the search goes on and groups the causes
        yield failed(result, fault)
        return
    yield replace(
        result,
        status="complete",
        accuracy=rung.accuracy,
        ended=time.time(),
        validation_predictions=found,
        test_predictions=tested,
    )


def failed(result: TrialResult, fault: BaseException) -> TrialResult:
    """The result so far of a trial that `fault` ended."""
    lines = str(fault).strip().splitlines()
    reason = f"{type(fault).__name__}: {lines[0] if lines else 'no message'}"
    return replace(result, status="failed", accuracy=math.nan, reason=reason, ended=time.time())
