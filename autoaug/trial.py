"""A trial: one policy trained and scored once, a pure function of (policy, task, seed)."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass

import torch

from autoaug.data.splits import Samples
from autoaug.errors import AutoaugError
from autoaug.policy import Policy
from autoaug.result import Rung, TrialResult
from autoaug.training.recipe import Recipe
from autoaug.training.train import NonFiniteLoss, new_training, predict, rung_shares, train, warm_up

#: A trial reports its validation accuracy at a quarter, a half and the whole of its length.
RUNGS = rung_shares(2)


@dataclass(frozen=True, eq=False)
class Task:
    """What every trial of a search has in common. `test` is None during a search: a trial cannot see what is not
    there."""

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


def run_trial(policy: Policy, task: Task, seed: int) -> Generator[Rung, None, TrialResult]:
    """Train and score `policy`; yields a `Rung` on the way whenever one is reached, and returns the result.

    Whoever runs it may stop asking after a rung: that is how a trial is pruned. A loss that is not finite, or an
    error in training, is a failed result with the reason, not an exception.
    """
    started, curve = time.time(), list[Rung]()
    training = new_training(task.model, task.train, task.classes, seed, task.device)
    try:
        due = list(RUNGS)
        for share in train(training, policy, task.train, task.classes, task.recipe, seed, task.device):
            if share >= due[0]:
                while due and share >= due[0]:
                    due.pop(0)
                found = predict(training.model, task.validation.images, task.device)
                curve.append(Rung(max(1, round(share * task.recipe.epochs)), float((found == task.validation.labels).mean())))
                if due:
                    yield curve[-1]
        tested = None if task.test is None else predict(training.model, task.test.images, task.device)
    except AutoaugError:
        raise
    except (NonFiniteLoss, RuntimeError, ValueError) as fault:
        return TrialResult(
            "failed", math.nan, tuple(curve), _reason(fault), started, time.time(), **vars(training.meter)
        )
    return TrialResult(
        status="complete",
        accuracy=curve[-1].accuracy,
        curve=tuple(curve),
        reason="",
        started=started,
        ended=time.time(),
        validation_predictions=found,
        test_predictions=tested,
        **vars(training.meter),
    )




def _reason(fault: BaseException) -> str:
    lines = str(fault).strip().splitlines()
    return f"{type(fault).__name__}: {lines[0] if lines else 'no message'}"
