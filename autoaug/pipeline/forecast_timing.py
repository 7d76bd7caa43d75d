"""Makes the forecast of a run from a few timed steps."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import psutil
import torch

from autoaug.data.inputs import MemoryInputs, spread_rows
from autoaug.data.splits import Samples
from autoaug.errors import typed_line
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.forecast import Forecast
from autoaug.pipeline.job import Job
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.runs.config import RunConfig
from autoaug.search.baselines import CONFIRMED, affordable_baselines
from autoaug.search.strategies import get_strategy
from autoaug.training.feed import inputs_at_once
from autoaug.training.inference import predict
from autoaug.training.randomness import RandomState
from autoaug.training.setting import TrainingSetting
from autoaug.training.state import TrainingPlan, new_training
from autoaug.training.train import train
from autoaug.utils.clock import now
from autoaug.utils.quantities import duration
from autoaug.utils.seeds import derive_seed

#: The steps before the time is taken: the first one loads things.
_LOADING = 1
#: If two steps take longer than this, in seconds each, that is the estimate; otherwise as many more are timed as are
#: augmented at once, up to a limit.
_SLOW, _MOST = 0.2, 8
#: The number of samples that are predicted to time prediction.
_PREDICTED = 64
#: Steps are timed on batches of so many values at most, which are scaled: those of photographs would take minutes.
_VALUES = 2**20
#: A proxy is offered if it takes less than this part of the time: some networks take samples of one size only.
_WORTHWHILE = 2 / 3
#: The number of smaller samples that are made to time trainings on these.
_FEW = 256


@dataclass(frozen=True)
class Timing:
    """What was measured: seconds per training step and per predicted sample, and the bytes of the process."""

    step: float
    prediction: float
    memory: int

    def of(self, steps: float, scored: float) -> float:
        """The seconds of so many steps and predicted samples."""
        return steps * self.step + scored * self.prediction


def forecast(job: Job) -> Forecast:
    """What the run will do. An error in the timed steps is reported, but not raised: trials handle it."""
    config, setting = job.config, job.setting({})
    policy = config.policies[-1] if config.policies else _usual(setting)
    seed, fault = derive_seed(config.seed, "forecast"), ""
    plan, proxy = setting.plan(policy, seed), None
    scored = len(job.data.validation) + len(job.data.test) / (config.folds or 1)
    full_length = plan.recipe.full_length_passes(len(plan.taken)) if plan.recipe.views else plan.steps * plan.batch_size
    steps = full_length / plan.batch_size
    trial_seconds = math.nan
    try:
        with setting.computing(), RandomState(seed, setting.device):
            timing = _timed(_through_the_network(plan), setting)
            seconds = timing.of(steps, scored)
            trial_seconds = _trial_seconds(config, setting, policy, seed, seconds)
            if smaller := _smaller(setting):
                small = _timed(_through_the_network(smaller[1].plan(policy, seed)), smaller[1], plan.batch_size)
                seconds_of_proxy = small.of(steps, scored)
                proxy = (smaller[0], seconds_of_proxy) if seconds_of_proxy < _WORTHWHILE * seconds else None
    except (Exception, SystemExit) as error:  # a user's model may raise anything, or call sys.exit
        seconds, timing, fault = math.nan, Timing(math.nan, math.nan, 0), typed_line(error)
    return Forecast(
        search=_words(config),
        search_seconds=_search_seconds(config, trial_seconds, seconds),
        candidates=_candidates(config),
        seeds=(job.planned[0], job.planned[-1]),
        steps=plan.steps,
        training_seconds=seconds,
        trial_seconds=trial_seconds,
        workers=config.workers,
        memory=timing.memory,
        fault=fault,
        limit=config.budget.seconds if config.budget else None,
        proxy=proxy,
    )


def _through_the_network(plan: TrainingPlan) -> TrainingPlan:
    """The plan without kept features, which are computed before the first step and are most of the work."""
    return replace(plan, recipe=plan.recipe.model_copy(update={"views": None}))


def _smaller(setting: TrainingSetting) -> tuple[str, TrainingSetting] | None:
    """The same setting with a few smaller samples, and with the usual network for these where it has the usual one, and
    the options that do that; None where samples are small, or the network computes on a GPU.
    """
    modality, start, model = get_modality(setting.modality), setting.start, setting.model
    proxy = modality.proxy(setting.train.inputs.shape)
    if proxy is None or setting.device != "cpu":
        return None
    if start is not None:
        start, _ = modality.models.start(model, start.weights, proxy.shape, setting.task.outputs, keep_size=True)
    elif model == modality.models.resolve("auto", setting.train.inputs.shape)[0]:
        model, _ = modality.models.resolve("auto", proxy.shape)
    option = proxy.option if model == setting.model else f"{proxy.option} --model {model}"

    def few(samples: Samples) -> Samples:
        rows = spread_rows(len(samples), _FEW)
        return Samples(MemoryInputs(proxy.convert(samples.inputs.take(rows))), samples.labels[rows])

    train, validation = few(setting.train), few(setting.validation)
    return option, replace(setting, train=train, validation=validation, start=start, model=model)


def _usual(setting: TrainingSetting) -> Policy:
    name = get_modality(setting.modality).usual_policy
    return load_policy(name) if name else Policy()


def _timed(plan: TrainingPlan, setting: TrainingSetting, batch_size: int | None = None) -> Timing:
    """Take a step, which may have to load something, then some that are timed; and predict some samples. Of large
    samples, only parts of a batch are timed. Steps are those of batches of `batch_size`, by default the plan's.
    """
    setting.warm_up()
    wanted, most = batch_size or plan.batch_size, max(2, _VALUES // math.prod(plan.samples.inputs.shape))
    taken = min(plan.batch_size, most)
    plan = replace(plan, recipe=plan.recipe.model_copy(update={"batch_size": taken}))
    training = new_training(plan)
    chunk = min(_MOST, inputs_at_once(plan.samples.inputs.shape) // plan.batch_size)
    ends = sorted({min(end, plan.steps) for end in (_LOADING, _LOADING + 2, _LOADING + 2 + max(2, chunk))})
    # Rungs are rounded up to steps.
    reached = train(training, replace(plan, rungs=[(end - 0.5) / plan.steps for end in ends]))
    begun = now()
    next(reached)
    per_step = now() - begun
    for start, end in itertools.pairwise(ends):
        begun = now()
        next(reached)
        per_step = (now() - begun) / (end - start)
        if per_step > _SLOW:
            break
    rows, begun = spread_rows(len(setting.validation), _PREDICTED), now()
    predict(training.result, plan.task, setting.validation, setting.device, setting.modality, rows)
    return Timing(per_step * wanted / taken, (now() - begun) / len(rows), _memory(setting.device))


def _memory(device: str) -> int:
    """The bytes that this process holds; on a GPU, the most that it held there."""
    if device.startswith("cuda"):
        return int(torch.cuda.max_memory_reserved(device))
    return int(psutil.Process().memory_info().rss)


def _words(config: RunConfig) -> str:
    budget, space = config.budget, config.space
    if budget is None or space is None:
        return ""
    if budget.policies is not None:
        known = len(affordable_baselines(space.baselines, budget))
        repeats = get_strategy(config.strategy).explores_until < 1
        policies = "1 policy" if budget.policies == 1 else f"{budget.policies} policies"
        amount = f"{policies} of its own and {known} known ones"
        amount += ", and repetitions of the best" if repeats else ""
    elif budget.seconds is not None:
        amount = f"as many trials as fit into the {duration(budget.seconds)} of the run, the confirmation aside"
    else:
        amount = (
            f"the compute of {budget.trainings:g} trainings; a trial on a quarter of the data takes a quarter of one"
        )
    also = ", and as much again for the control" if config.control else ""
    return f"{amount}{also} ({config.strategy} on the space {space.name!r})"


def _trial_seconds(
    config: RunConfig, setting: TrainingSetting, policy: Policy, seed: int, training_seconds: float
) -> float:
    """The time of a trial on the share of the data on which the strategy tries policies. Its batches are smaller, so
    that it takes more than this share of the time of a training.
    """
    fraction = _explored(config)[1]
    if fraction == 1:
        return training_seconds
    plan = setting.plan(policy, seed, fraction)
    return _timed(_through_the_network(plan), setting).of(plan.steps, len(setting.validation))


def _explored(config: RunConfig) -> tuple[float, float]:
    """The fraction of the budget that tries policies, and the fraction of the data on which it does."""
    if config.budget is None:
        return 1.0, 1.0
    strategy = get_strategy(config.strategy)
    return strategy.explores_until, strategy.explored_fraction


def _search_seconds(config: RunConfig, trial_seconds: float, training_seconds: float) -> float:
    """The time of the searches, if they have no time limit. What follows the trials of policies is counted as trainings
    at full length.
    """
    budget, space = config.budget, config.space
    if budget is None or space is None:
        return 0.0
    until, fraction = _explored(config)
    trainings = budget.trainings or 0.0
    if budget.policies is not None:
        tried = budget.policies + len(affordable_baselines(space.baselines, budget))
        trainings = tried * fraction / until
    seconds = trainings * (until / fraction * trial_seconds + (1 - until) * training_seconds)
    return seconds / config.workers * (2 if config.control else 1)


def _candidates(config: RunConfig) -> int:
    """The most policies that are confirmed: finalists, baselines, and baselines regularized as finalists are."""
    if config.space is None:
        return len(config.policies)
    arms = config.finalists if config.space.regularization else 0
    return config.finalists + min(CONFIRMED, len(config.space.baselines)) + arms + (config.control is not None)
