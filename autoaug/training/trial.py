"""A trial: one policy trained and scored once, as a pure function of (policy, data fraction, setting, seed)."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from autoaug.data.inputs import spread_rows
from autoaug.data.splits import Samples
from autoaug.errors import PolicyError, full_disk, typed_line
from autoaug.policy.models import Policy
from autoaug.training.checkpoint import checkpoint_path, load_training, save_training, save_weights, weights_file
from autoaug.training.inference import predict, predict_and_write
from autoaug.training.metrics import measured, metrics_of, score, statistics_of
from autoaug.training.probe import predict_from_features
from autoaug.training.randomness import RandomState
from autoaug.training.result import Rung, TrialResult
from autoaug.training.robustness import robust_score
from autoaug.training.setting import Setting, TrainingSetting, Work
from autoaug.training.state import Training, TrainingPlan, new_training
from autoaug.training.train import train
from autoaug.training.translation import Translation
from autoaug.utils.clock import now
from autoaug.utils.memory import give_back_freed_memory
from autoaug.utils.seeds import derive_seed

#: Fractions of full length at which the validation score is measured. Earlier rungs mislead: on 1,000 Fashion-MNIST
#: samples, the ranks at a quarter had a correlation of -0.16 with those at full length, and at a half 0.30, because
#: strong policies take longer to pay off.
RUNGS = (0.5, 1.0)
_MOST_OF_THE_REST = 5000


def carry_out(work: Work, setting: Setting, seed: int) -> Iterator[TrialResult]:
    """Run `work`. An error ends it as failed, with the reason. All that it draws from the global random state follows
    from `seed`. The state of this process is restored before each result is yielded.
    """
    started, random_state = now(), RandomState(derive_seed(seed, "global"), setting.device)
    give_back_freed_memory()
    try:
        steps = work.run(setting, seed)
        while True:
            with setting.computing(), random_state:
                result = next(steps, None)
            if result is None:
                return
            yield result
    except Exception as fault:  # the search continues after any error, and groups the causes
        yield failed(TrialResult(started=started), fault)


@dataclass(frozen=True)
class Train:
    """Train and score `policy` on a stratified `data_fraction` of the training split, from the fraction `start` of full
    length to `stop`. With `keeps_weights`, the weights of a complete training are kept in the setting's checkpoints,
    or, if there are none, in the result.
    """

    policy: Policy
    data_fraction: float = 1.0
    start: float = 0.0
    stop: float = 1.0
    keeps_weights: bool = False

    @property
    def rungs(self) -> list[float]:
        """The fractions of full length at which it is scored."""
        return [rung for rung in RUNGS if rung < self.stop] + [self.stop]

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yield the intermediate result at every rung and the final result last.

        The training runs for all epochs of the recipe on a nested, stratified part of the training split, drawn by
        `seed`. Batches shrink by the same factor, so that it takes as many steps as a full training. With less data,
        policies rank as in full trainings; with fewer epochs or steps they do not, because strong policies need them.

        A trial that continues an earlier one of the same policy starts from its checkpoint. If that is missing, it
        repeats the earlier part, with the same result.

        To prune a trial, the caller stops iterating after a rung; then the last result is all there is. A non-finite
        loss, or an error in training, ends the trial as failed, with the reason. If memory runs out, the trial is
        repeated once with each batch in two halves, and a note says so.
        """
        begun = TrialResult(started=now())
        try:
            yield from _Trial(self, setting, seed, parts=1).run(begun)
            return
        except _OutOfMemory:
            gc.collect()
            if setting.device.startswith("cuda"):
                torch.cuda.empty_cache()
        again = replace(begun, note="memory ran out: trained again with each batch in two halves")
        yield from _Trial(self, setting, seed, parts=2).run(again)


class _Trial:
    """A running trial."""

    def __init__(self, work: Train, setting: TrainingSetting, seed: int, parts: int) -> None:
        self.work, self.setting, self.seed, self.parts = work, setting, seed, parts
        self.held_out = setting.validation_of(seed)
        self.validation: np.ndarray | None = None

    def run(self, result: TrialResult) -> Iterator[TrialResult]:
        work, setting = self.work, self.setting
        try:
            pool, note = _pool(work, setting)
            result = replace(result, note=" ".join(filter(None, [result.note, note])))
            plan = replace(
                setting.plan(work.policy, self.seed, work.data_fraction),
                rungs=work.rungs,
                parts=self.parts,
                synthetic=pool,
            )
            training = self.begun(plan)
            rest = _rest(setting, plan.rows)
            for reached in train(training, plan):
                if reached <= work.start:
                    continue
                result = self.scored(result, training, reached, rest)
                if reached < work.stop:
                    yield result
            if not result.curve:  # the training has so few steps that none is in this part
                result = self.scored(result, training, work.stop, rest)
            result = self.whole(result, training)
        except Exception as fault:  # a user's model may raise anything; the search continues, and groups the causes
            if self.parts == 1 and _is_out_of_memory(fault):
                raise _OutOfMemory from None
            result = failed(result, fault)
        yield result

    def begun(self, plan: TrainingPlan) -> Training:
        """A new training, or, if this one continues another, its checkpoint."""
        training, work = new_training(plan), self.work
        if work.start and self.setting.checkpoints:
            load_training(training, self.checkpoint(work.start))
        return training

    def checkpoint(self, stop: float) -> Path:
        assert self.setting.checkpoints is not None
        return checkpoint_path(self.setting.checkpoints, self.work.policy, self.work.data_fraction, self.seed, stop)

    def scored(self, result: TrialResult, training: Training, reached: float, rest: np.ndarray) -> TrialResult:
        """The result with one more rung, scored on the held-out samples and the training samples at `rest`."""
        setting = self.setting
        self.validation = self.predicted(training, self.held_out)
        metric, task = setting.trial_metric, setting.task
        statistics = statistics_of(metric, task, self.validation, self.held_out.labels)
        if len(rest):
            other = statistics_of(
                metric, task, self.predicted(training, setting.train, rest), setting.train.labels[rest]
            )
            statistics = np.concatenate([statistics, other])
        rung = Rung(round(reached * setting.recipe.epochs), score(metric, statistics))
        return replace(result, curve=(*result.curve, rung), ended=now(), **vars(training.meter))

    def predicted(self, training: Training, samples: Samples, rows: np.ndarray | None = None) -> np.ndarray:
        """The task's scores for all samples, or those at `rows`."""
        setting = self.setting
        if setting.recipe.views is not None:
            scores = predict_from_features(training, setting.task, samples, rows, setting.device)
            if scores is not None:
                return scores
        return predict(training.result, setting.task, samples, setting.device, setting.modality, rows)

    def whole(self, result: TrialResult, training: Training) -> TrialResult:
        """The final result of the trial, after its last rung; writes checkpoints or weights if needed."""
        work, setting = self.work, self.setting
        if setting.checkpoints and (work.stop < 1 or work.keeps_weights):
            save = save_weights if work.stop == 1 else save_training
            save(training, self.checkpoint(work.stop))
        elif work.keeps_weights:
            result = replace(result, weights=weights_file(training, work.policy, self.seed))
        if setting.measures_robustness:
            result = replace(result, robustness=robust_score(training.result, setting, self.held_out))
        if setting.test is not None:
            result = self.tested(result, training, setting.test)
        return replace(result, status="complete", score=result.curve[-1].score, ended=now())

    def tested(self, result: TrialResult, training: Training, test: Samples) -> TrialResult:
        """The result with the predictions by which confirmation chooses and judges: for the held-out samples, and for
        the test split or the seed's fold of it.
        """
        setting, task, metric = self.setting, self.setting.task, self.setting.metric
        rows = setting.folds.get(self.seed)
        labels = test.labels if rows is None else test.labels[rows]
        assert self.validation is not None, "the last rung was scored"
        if isinstance(task, Translation):
            model, where = training.result, (setting.device, setting.modality)
            held_out = predict_and_write(model, task, self.held_out.inputs, *where)
            scores = predict_and_write(model, task, test.inputs, *where, rows)
        else:
            held_out, scores = self.validation, self.predicted(training, test, rows)
        return replace(
            result,
            validation_predictions=task.decide(held_out),
            validation_statistics=statistics_of(metric, task, held_out, self.held_out.labels),
            test_predictions=task.decide(scores),
            test_statistics=statistics_of(metric, task, scores, labels),
            test_measured={name: measured(metric, task, scores, labels) for name, metric in metrics_of(task).items()},
        )


def _pool(work: Train, setting: TrainingSetting) -> tuple[Samples | None, str]:
    """The generated samples that the policy uses, if there are any, and a note if they are missing. Raises
    `PolicyError` instead in a confirmed training, which would judge another policy.

    Generators are fitted to the whole training split. A trial on a share of it gets none of their samples: through them
    it would learn about the rest, on which it is scored and which other trials do not see. Fitting a generator to the
    rows of each trial would cost more than the trial.
    """
    policy = work.policy
    if policy.synthetic is None:
        return None, ""
    if work.data_fraction < 1:
        return None, "without generated samples: their generator knows more of the data than this trial may"
    kind, least = policy.synthetic.kind, policy.synthetic.confidence
    pool = setting.pools.get(kind)
    if pool and pool.reaches(least):
        return pool.above(least), ""
    fault = f"none of the {kind} has enough confidence" if pool else f"the {kind} failed"
    if setting.test is not None:
        raise PolicyError(f"there are no generated samples: {fault}")
    return None, f"without generated samples: {fault}"


def _rest(setting: TrainingSetting, rows: np.ndarray | None) -> np.ndarray:
    """Training rows on which to score a trial that trains only on `rows`: at most 5,000, spread over the rest."""
    if rows is None or not setting.is_exchangeable:
        return np.empty(0, np.int64)
    rest = np.setdiff1d(np.arange(len(setting.train)), rows)
    spread: np.ndarray = rest[spread_rows(len(rest), _MOST_OF_THE_REST)]
    return spread


class _OutOfMemory(Exception):
    """Memory ran out in a training that can be retried."""


def _is_out_of_memory(fault: Exception) -> bool:
    words = ("out of memory", "can't allocate memory", "not enough memory")
    is_known = isinstance(fault, MemoryError | torch.cuda.OutOfMemoryError)
    return is_known or any(word in str(fault).lower() for word in words)


def failed(result: TrialResult, fault: BaseException) -> TrialResult:
    """The result of a trial that `fault` ended."""
    is_full = full_disk(fault) is not None
    reason = typed_line(fault)
    return replace(result, status="failed", score=math.nan, reason=reason, disk_full=is_full, ended=now())
