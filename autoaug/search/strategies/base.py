"""The interface of strategies: a strategy is a pure function from what has been tried to what to do next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from heapq import nlargest
from typing import Any, NamedTuple

from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from autoaug.policy.models import Policy
from autoaug.search.sampling import Suggest, sample_policy
from autoaug.search.space import SearchSpace
from autoaug.training.setting import Work

#: The index of the run's seed that a strategy uses for every trial it does not repeat.
FIRST = 0
#: The attribute of a trial that holds what was requested: name, stage, data fraction, seed, policy and so on.
REQUEST = "request"
#: The attribute that holds what a trial cost and why it failed. One attribute takes one statement to write.
OUTCOME = "outcome"
#: Budgets are compared with this tolerance, in trainings: spent fractions are rounded.
_TOLERANCE = 1e-6


class Stage(StrEnum):
    """The stages of the default strategy, as recorded in its trials."""

    BASELINES = "baselines"
    #: The check whether the policy proposed by the shift probe is better than no augmentation.
    SHIFT_CHECK = "gate"
    PORTFOLIO = "portfolio"
    #: What the surrogate model of the trials so far proposes.
    MODEL = "model"
    SHAPES = "shape"
    #: Neighbors of one policy; the number of its trial follows.
    NEIGHBORS = "around"
    REPEATS = "repeat"
    FULL_LENGTH = "finish"
    #: A stronger variant of the best, at full length.
    STRONGER = "stronger"


@dataclass(frozen=True)
class TrialRecord:
    """A trial that has begun, as strategies see it.

    Attributes:
        number: the number of the trial in the study.
        name: the name of its policy.
        stage: the stage of the strategy that requested it.
        data_fraction: the fraction of the training split that it trains on.
        seed_index: the index of its seed among the run's; policies are compared on equal seeds.
        is_baseline: whether its policy is a baseline.
        values: one per objective; empty unless complete.
        sample_passes: compute, in samples passed through the model.
        stop: the fraction of full length at which it ends.
        frozen: Optuna's record of the trial.
    """

    number: int
    name: str
    stage: str
    data_fraction: float
    seed_index: int
    is_baseline: bool
    values: tuple[float, ...]
    sample_passes: int
    stop: float
    frozen: FrozenTrial = field(repr=False)

    @cached_property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.frozen.state == TrialState.RUNNING

    @property
    def score(self) -> float | None:
        """The first objective, its score on the validation split; None unless complete."""
        return self.values[0] if self.values else None

    @property
    def start(self) -> float:
        """The fraction of full length at which it starts."""
        start, _ = self.frozen.user_attrs[REQUEST]["span"]
        return float(start)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its policy."""
        fingerprint: str = self.frozen.user_attrs[REQUEST]["fingerprint"]
        return fingerprint

    @property
    def outcome(self) -> Mapping[str, Any]:
        """What it cost, and why it failed; raises `KeyError` if it has not ended."""
        outcome: Mapping[str, Any] = self.frozen.user_attrs[OUTCOME]
        return outcome

    @cached_property
    def is_drawn(self) -> bool:
        """Whether a sampler drew it."""
        return bool(self.frozen.params)

    @cached_property
    def identity(self) -> str:
        """Equal for trials of one policy at full length: its fingerprint. A trial that stops before has its own."""
        return self.fingerprint if self.stop == 1 else f"{self.number}"

    @cached_property
    def key(self) -> tuple[str, float, int]:
        """Equal for duplicate trials: their identity, data fraction and seed."""
        return self.identity, self.data_fraction, self.seed_index

    @property
    def is_whole(self) -> bool:
        """Whether it trains on all data, to full length."""
        return self.data_fraction == 1 and self.stop == 1

    @cached_property
    def policy(self) -> Policy:
        """The policy that it trains with."""
        return Policy.model_validate_json(self.frozen.user_attrs[REQUEST]["policy"])


class History(NamedTuple):
    """All that is known: the trials by number, and the results of probes (None for running ones)."""

    trials: Sequence[TrialRecord]
    probe_results: Mapping[str, Mapping[str, Any] | None]


class SearchContext(NamedTuple):
    """What a strategy knows about the run.

    Attributes:
        space: the space that policies are drawn from.
        baselines: known policies by name.
        spent: the fraction of the budget that is spent or committed, in [0, 1).
        budget: the budget in full trainings; None if that is not known.
        seed: the seed of the run.
        has_data: whether probes can read the data; they cannot if the user supplies the objective.
        may_stop: whether the search may end where hardly anything is left to gain.
        pays_probes: whether the budget is one of compute or time, which probes spend, too.
    """

    space: SearchSpace
    baselines: Mapping[str, Policy]
    spent: float
    budget: float | None
    seed: int
    has_data: bool = True
    may_stop: bool = False
    pays_probes: bool = False


class Draw(NamedTuple):
    """Have a sampler draw a policy and train it.

    Attributes:
        sampler: makes the sampler, from a new seed for every draw.
        observed: the trials that the sampler learns from.
        draw: draws a policy from the space.
        fixed: values that are not drawn but given, by the name of the choice.
        data_fraction: the fraction of the training split to train on.
        stage: the stage to record for the trial.
    """

    sampler: Callable[[int], BaseSampler]
    observed: Sequence[TrialRecord] = ()
    draw: Callable[[SearchSpace, Suggest], Policy] = sample_policy
    fixed: Mapping[str, Any] = {}
    data_fraction: float = 1.0
    stage: str = "search"


class Fixed(NamedTuple):
    """Train a known policy, under `name`, with seed number `seed_index` of the run, from the fraction `start` of full
    length to the fraction `stop`. If `start` is above 0, an earlier trial has trained that far.
    """

    name: str
    policy: Policy
    data_fraction: float = 1.0
    seed_index: int = FIRST
    is_baseline: bool = False
    stage: str = "search"
    start: float = 0.0
    stop: float = 1.0


class Probe(NamedTuple):
    """Do work other than training a policy; the result is kept under its name. `purpose` tells users what it does."""

    name: str
    work: Work
    purpose: str = ""


class Stop(NamedTuple):
    """End the search before its budget is spent, for a reason that users are told. The search is `exhausted` if the
    strategy has nothing left to try, so that a larger budget would not help.
    """

    reason: str
    exhausted: bool = False


Step = Draw | Fixed | Probe | Stop


class Strategy(ABC):
    """Chooses policies. A strategy is stateless: all it knows is in the study, so that a resumed search continues as an
    uninterrupted one would have.

    Attributes:
        name: the name in options.
        summary: one line on what it is and when to use it.
        objectives: what is measured in a trial: "score", and optionally "robustness" (both are maximized) and
            "compute" (in trainings; minimized).
        prunes: whether poor trials are stopped at half their length.
        needs_data: whether it reads the data or continues trainings, which is impossible with a user's own objective.
        explores_until: the fraction of the budget after which it tries no new policies, but repeats some.
        explored_fraction: the fraction of the training split that new policies are tried on.
    """

    name: str
    summary: str
    objectives: tuple[str, ...] = ("score",)
    prunes: bool = True
    needs_data: bool = False
    explores_until: float = 1.0
    explored_fraction: float = 1.0

    def check(self, space: SearchSpace) -> None:  # noqa: B027 (most strategies can search any space)
        """Raise `SpaceError`, naming a strategy that can, if this one cannot search `space`."""

    @abstractmethod
    def next(self, history: History, context: SearchContext) -> Step | None:
        """The next step; None if it depends on running work, or if nothing is left to do."""

    def finalists(self, history: History) -> list[TrialRecord]:
        """The policies worth confirming: those trained at full length that are not baselines, most promising first. A
        policy may occur more than once.
        """
        whole = [record for record in history.trials if record.values and record.is_whole and not record.is_baseline]
        return sorted(whole, key=lambda record: -record.values[0])


def next_baseline(history: History, context: SearchContext, data_fraction: float = 1.0) -> Fixed | None:
    """The first baseline that has not yet been trained on that `data_fraction`; None if all have, or if the budget
    would then leave no full training for a policy of the search.
    """
    if context.budget is not None and context.budget * (1 - context.spent) < 1 + data_fraction - _TOLERANCE:
        return None
    begun = {record.name for record in history.trials if record.is_baseline and record.data_fraction == data_fraction}
    missing = (name for name in context.baselines if name not in begun)
    name = next(missing, None)
    return (
        None
        if name is None
        else Fixed(name, context.baselines[name], data_fraction, is_baseline=True, stage=Stage.BASELINES)
    )


def recent_and_best(trials: Sequence[TrialRecord], at_most: int) -> list[TrialRecord]:
    """`at_most` of the drawn `trials`, by number: all running ones, then the newest and the best in equal parts. The
    bound keeps the cost of a draw constant: the ten-thousandth costs as much as the five-hundredth.
    """
    drawn = [record for record in trials if record.is_drawn]
    if len(drawn) <= at_most:
        return drawn
    running = [record for record in drawn if record.is_running]
    ended = [record for record in drawn if not record.is_running]
    half = max(1, (at_most - len(running)) // 2)
    best = nlargest(half, (record for record in ended if record.values), key=lambda record: record.values[0])
    kept = {record.number: record for record in (*best, *ended[-half:], *running)}
    return [kept[number] for number in sorted(kept)]
