"""What a run will do, and about how long it takes, from a few timed steps."""

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
from autoaug.pipeline.confirming import GOING_ON
from autoaug.pipeline.job import Job, Parts
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
from autoaug.utils.seeds import derive_seed

#: The steps before the time is taken: the first one loads things.
_LOADING = 1
#: If two steps take longer than this, in seconds each, that is the estimate; otherwise as many more are timed as are
#: augmented at once, up to a limit.
_SLOW, _MOST = 0.2, 8
#: So many samples are predicted to time that.
_PREDICTED = 64
#: Steps are timed on batches of so many values at most, which are scaled: those of photographs would take minutes.
_VALUES = 2**20
#: So many smaller samples are made to time these.
_FEW = 256
#: The two trainings of twice the length at the end of a run, in trainings.
_LONGER = 4


@dataclass(frozen=True)
class Timing:
    """What was measured: seconds per training step and per predicted sample, and the bytes of the process."""

    step: float
    prediction: float
    memory: int

    def of(self, steps: float, scored: float) -> float:
        """The seconds of so many steps and predicted samples."""
        return steps * self.step + scored * self.prediction


@dataclass(frozen=True)
class Forecast:
    """What a run will do.

    Attributes:
        search: what the search may try, as text; empty for a comparison.
        search_seconds: the time of the search, with all workers; 0 for a comparison.
        candidates: the most policies that are confirmed.
        seeds: the fewest and the most seeds that each is confirmed on.
        steps: the optimizer steps of a training at full length.
        training_seconds: the time of such a training with its scores, in one worker; NaN if no step could be timed.
        trial_seconds: the same for a trial on the share of the data on which the strategy tries policies.
        workers: the number of trainings at a time.
        memory: the bytes of a worker.
        fault: why no step could be timed; empty if it could.
        limit: the seconds that all of it may take; None without a limit.
        proxy: a smaller form of the samples, as an option, and the seconds of a training with it; None if there is
            none, or none is needed.
    """

    search: str
    search_seconds: float
    candidates: int
    seeds: tuple[int, int]
    steps: int
    training_seconds: float
    trial_seconds: float
    workers: int
    memory: int
    fault: str = ""
    limit: float | None = None
    proxy: tuple[str, float] | None = None

    @property
    def confirmation_seconds(self) -> tuple[float, float]:
        """The time of the confirmation with the fewest and the most seeds."""
        least, most = (
            (self.candidates * seeds + _LONGER) * self.training_seconds / self.workers for seeds in self.seeds
        )
        return least, most

    @property
    def parts(self) -> Parts:
        """The parts of the run by time. Of the confirmation on more seeds, few candidates are a part."""
        fewest, most = self.seeds
        trainings = self.candidates * fewest + GOING_ON * (most - fewest), _LONGER
        seconds = 0.0 if self.fault else self.training_seconds / self.workers
        confirming, longer = (count * seconds for count in trainings)
        return Parts.of(self.search_seconds if seconds else 0.0, confirming, longer)

    @property
    def seconds(self) -> float:
        """The time of all of it with the fewest seeds; NaN if it is not known."""
        return self.search_seconds + self.confirmation_seconds[0]

    @property
    def lines(self) -> list[str]:
        """All of this as text; the time, for which most people look, comes first."""
        least, most = self.seeds
        more = f", up to {self.candidates * most} on {most} seeds where the result is not clear" if most > least else ""
        lines = [f"the search: {self.search}"] if self.search else []
        lines.append(
            f"the confirmation: up to {self.candidates} policies on {least} seeds, {self.candidates * least} trainings"
            f"{more}; then two trainings of twice the length"
        )
        if self.fault:
            return [*self.time_lines, *lines]
        free = psutil.virtual_memory().available
        lines.append(
            f"the memory: about {self.memory / 2**30:.1f} GiB per worker, {self.workers * self.memory / 2**30:.1f} GiB "
            f"in all; {free / 2**30:.1f} GiB are free"
        )
        return [*self.time_lines, *lines]

    @property
    def time_lines(self) -> list[str]:
        """How long it takes, and how long with smaller samples, as text."""
        if self.fault:
            return [f"the time is not known: a step failed with {self.fault}"]
        begun = f"about {_duration(self.search_seconds)} for the search and " if self.search else "about "
        short, long = map(_duration, self.confirmation_seconds)
        if short != long and short.split()[1] == long.split()[1]:
            short = short.split()[0]  # the unit is told once
        steps = f"{self.steps} step{'s' * (self.steps != 1)}"
        within = f", at most {_duration(self.limit)} in all" if self.limit is not None else ""
        lines = [
            f"the time: {begun}{short if short == long else f'{short} to {long}'} for the confirmation{within}, "
            f"{self.workers} at a time; a training has {steps} and takes {_duration(self.training_seconds)}"
        ]
        if self.proxy is not None:
            option, seconds = self.proxy
            lines.append(
                f"a smaller proxy: with {option}, a training takes {_duration(seconds)}, and everything is about "
                f"{self.training_seconds / seconds:.0f} times faster; the policy that it finds can be used at the full "
                "size, and autoaug compare can confirm it there"
            )
        return lines


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
                proxy = smaller[0], small.of(steps, scored)
    except Exception as error:  # a user's model may raise anything
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
    """The same setting with a few smaller samples, and the option that makes them; None where samples are small, or the
    network takes them at a size of its own, or computes on a GPU.
    """
    proxy = get_modality(setting.modality).proxy(setting.train.inputs.shape)
    if proxy is None or setting.device != "cpu" or setting.start is not None:
        return None

    def few(samples: Samples) -> Samples:
        rows = spread_rows(len(samples), _FEW)
        return Samples(MemoryInputs(proxy.made(samples.inputs.take(rows))), samples.labels[rows])

    return proxy.option, replace(setting, train=few(setting.train), validation=few(setting.validation))


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
    predict(training.result, plan.task, setting.validation.inputs, setting.device, setting.modality, rows)
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
    elif budget.trials is not None:
        amount = f"{budget.trials} trials"
    elif budget.seconds is not None:
        amount = f"as many trials as fit into the {_duration(budget.seconds)} of the run, the confirmation aside"
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
    if config.budget is None or config.budget.trials is not None:
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
    trainings = budget.trainings or float(budget.trials or 0)
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


def _duration(seconds: float) -> str:
    """A time in two digits: ``35 seconds``, ``12 minutes``, ``3.5 hours``."""
    for unit, size in (("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}" if seconds < 10 * size else f"{seconds / size:.0f} {unit}"
    return "1 second" if seconds <= 1 else f"{math.ceil(seconds)} seconds"
