"""What a strategy is: a pure function from what has been tried to what to do next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import nlargest
from typing import Any, NamedTuple

from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from autoaug.policy.models import Policy
from autoaug.results import Stage
from autoaug.search.sampling import Suggest, sample_policy
from autoaug.search.space import SearchSpace
from autoaug.training.setting import Work

#: The number, among the run's seeds, of the one that a strategy trains everything with unless it repeats trainings.
FIRST = 0
#: The attribute of a trial that says what was requested: name, stage, fraction of the data, seed, policy and so on.
REQUEST = "request"
#: The attribute that says what a trial cost, and why it failed; each attribute is a statement of its own to write.
OUTCOME = "outcome"


@dataclass(frozen=True)
class TrialRecord:
    """A trial that has begun, as strategies see it.

    Attributes:
        number: of the trial in the study.
        name: of what it trains.
        stage: which stage of the strategy requested it.
        data_fraction: how much of the training split it trains on.
        seed_index: which of the run's seeds it is trained with; policies are compared on equal ones.
        is_baseline: whether its policy is one that others are compared with.
        values: one per objective; empty unless complete.
        sample_passes: compute, in samples passed through the model.
        stop: at which fraction of full length it ends.
        frozen: the study's own record.
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
        """Whether it has not ended."""
        return self.frozen.state == TrialState.RUNNING

    @property
    def score(self) -> float | None:
        """Its first objective, the score on the validation split; None unless complete."""
        return self.values[0] if self.values else None

    @property
    def start(self) -> float:
        """From which fraction of full length it trains."""
        start, _ = self.frozen.user_attrs[REQUEST]["span"]
        return float(start)

    @property
    def fingerprint(self) -> str:
        """Of its policy."""
        fingerprint: str = self.frozen.user_attrs[REQUEST]["fingerprint"]
        return fingerprint

    @property
    def outcome(self) -> Mapping[str, Any]:
        """What it cost, and why it failed; KeyError where it has not ended."""
        outcome: Mapping[str, Any] = self.frozen.user_attrs[OUTCOME]
        return outcome

    @cached_property
    def is_drawn(self) -> bool:
        """Whether a sampler drew it."""
        return bool(self.frozen.params)

    @cached_property
    def key(self) -> tuple[str, float, int]:
        """What makes two trials the same: policy, fraction of the data and seed. One that stops on the way is like no
        other.
        """
        return self.fingerprint if self.stop == 1 else f"{self.number}", self.data_fraction, self.seed_index

    @property
    def is_whole(self) -> bool:
        """Whether it was to train on all of the data, to the end."""
        return self.data_fraction == 1 and self.stop == 1

    @cached_property
    def policy(self) -> Policy:
        """What was trained."""
        return Policy.model_validate_json(self.frozen.user_attrs[REQUEST]["policy"])


class History(NamedTuple):
    """All that is known: trials by number, and the results of probes, None for those under way."""

    trials: Sequence[TrialRecord]
    probe_results: Mapping[str, Mapping[str, Any] | None]


class SearchContext(NamedTuple):
    """What a strategy knows of the run.

    Attributes:
        space: that policies may be drawn from.
        baselines: known policies, by name.
        spent: fraction of the budget that is spent or committed, in [0, 1).
        budget: in trainings' worth of compute, None where it is one of time.
        seed: of the run.
        has_data: whether probes can read the data, which an objective of the user's own keeps to itself.
    """

    space: SearchSpace
    baselines: Mapping[str, Policy]
    spent: float
    budget: float | None
    seed: int
    has_data: bool = True


class Draw(NamedTuple):
    """Have a sampler draw a policy and train it.

    Attributes:
        sampler: makes the sampler from a seed that is fresh for every draw.
        observed: the trials that the sampler learns from.
        draw: how a policy is drawn from the space.
        fixed: values to take instead of drawing them, by the names of what is drawn.
        data_fraction: how much of the training split to train on.
        stage: what to note as the trial's stage.
    """

    sampler: Callable[[int], BaseSampler]
    observed: Sequence[TrialRecord] = ()
    draw: Callable[[SearchSpace, Suggest], Policy] = sample_policy
    fixed: Mapping[str, Any] = {}
    data_fraction: float = 1.0
    stage: str = "search"


class Fixed(NamedTuple):
    """Train a known policy, under `name`, with the run's seed number `seed_index`: from a fraction `start` of the
    training's length, up to which a trial of the same policy has been before, to a fraction `stop`.
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
    """Do work that is no training; its result is kept under its name."""

    name: str
    work: Work


Step = Draw | Fixed | Probe


class Strategy(ABC):
    """How policies are chosen. A strategy keeps nothing: all it knows is in the study, so that a resumed search goes on
    as an uninterrupted one would have.

    Attributes:
        name: what users call it.
        summary: one line on what it is and when to use it.
        objectives: what is measured of a trial: its score, and perhaps robustness (to be maximized both) and compute
            (in trainings; to be minimized).
        prunes: whether poor trials are ended at half their length.
        learns_from_scores: whether its next step depends on the scores of earlier trainings.
        needs_data: whether it reads the data itself, or continues trainings, which an objective keeps to itself.
    """

    name: str
    summary: str
    objectives: tuple[str, ...] = ("score",)
    prunes: bool = True
    learns_from_scores: bool = True
    needs_data: bool = False

    def check(self, space: SearchSpace) -> None:  # noqa: B027 (most search every space)
        """Raise `SpaceError`, naming a strategy that can, where this one cannot search `space`."""

    @abstractmethod
    def next(self, history: History, context: SearchContext) -> Step | None:
        """What to do next; None if that depends on what is under way, or if all is done."""

    def finalists(self, history: History) -> list[TrialRecord]:
        """What is worth confirming: the policies that were trained at full length and are no baselines, the most
        promising first; one policy may stand there more than once.
        """
        whole = [record for record in history.trials if record.values and record.is_whole and not record.is_baseline]
        return sorted(whole, key=lambda record: -record.values[0])


def next_baseline(history: History, context: SearchContext, data_fraction: float = 1.0) -> Fixed | None:
    """The first baseline that has not begun at that `data_fraction`."""
    begun = {record.name for record in history.trials if record.is_baseline and record.data_fraction == data_fraction}
    missing = (name for name in context.baselines if name not in begun)
    name = next(missing, None)
    return (
        None
        if name is None
        else Fixed(name, context.baselines[name], data_fraction, is_baseline=True, stage=Stage.BASELINES)
    )


def recent_and_best(trials: Sequence[TrialRecord], at_most: int) -> list[TrialRecord]:
    """At most so many of the drawn `trials`, by number: all that run, then the newest and the best in equal parts. What
    a sampler learns from is bounded, so that its ten-thousandth draw costs what its five-hundredth did.
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
