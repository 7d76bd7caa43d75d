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
from autoaug.search.sampling import Suggest, sample_policy
from autoaug.search.space import SearchSpace
from autoaug.training.setting import Work

#: The seed, as a number of the run's seeds, that a strategy without repeats trains everything with.
FIRST = 0
#: The attribute of a trial that says what was asked: name, stage, share, repeat, baseline, span, policy, fingerprint.
REQUEST = "request"


@dataclass(frozen=True)
class TrialRecord:
    """A trial that has begun, as strategies see it.

    Attributes:
        number: of the trial in the study.
        stage: which stage of the strategy asked for it.
        share: of the training split.
        repeat: which of the run's seeds it was trained with; policies are compared on equal ones.
        values: one per objective; empty unless complete.
        passes: compute, in samples passed through the model.
        until: at which share of full length it ended.
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
        """The score on the validation split, None unless complete."""
        return self.values[0] if self.values else None

    @cached_property
    def is_drawn(self) -> bool:
        """Whether a sampler drew it."""
        return bool(self.frozen.params)

    @cached_property
    def key(self) -> tuple[str, float, int]:
        """What makes two trials the same: policy, share and repeat; those that end on the way are like no other."""
        if self.stop < 1:
            return f"{self.number}", self.data_fraction, self.seed_index
        return self.frozen.user_attrs[REQUEST]["fingerprint"], self.data_fraction, self.seed_index

    @property
    def is_whole(self) -> bool:
        """Whether it was to train on all of the data, to the end."""
        return self.data_fraction == 1 and self.stop == 1

    @cached_property
    def policy(self) -> Policy:
        """What was trained."""
        return Policy.model_validate_json(self.frozen.user_attrs[REQUEST]["policy"])


class History(NamedTuple):
    """All that is known: trials by number, and what probes found, None for those under way."""

    trials: Sequence[TrialRecord]
    probe_results: Mapping[str, Mapping[str, Any] | None]


class SearchContext(NamedTuple):
    """What a strategy is told of the run.

    Attributes:
        space: that policies may be drawn from.
        baselines: known policies, by name.
        spent: share of the budget that is spent or committed, in [0, 1).
        budget: in trainings' worth of compute, None where it is one of time.
        seed: of the run.
        has_data: whether probes can look at the data, which an objective of the user's own keeps to itself.
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
        sampler: makes the sampler from a seed that is fresh for every question.
        told: the trials that the sampler learns from.
        draw: how a policy is drawn from the space.
        fixed: values to take instead of drawing them, by the names they are asked under.
        share: of the training split to train on.
        stage: what to note as the trial's stage.
    """

    sampler: Callable[[int], BaseSampler]
    observed: Sequence[TrialRecord] = ()
    draw: Callable[[SearchSpace, Suggest], Policy] = sample_policy
    fixed: Mapping[str, Any] = {}
    data_fraction: float = 1.0
    stage: str = "search"


class Fixed(NamedTuple):
    """Train a policy that is known, under `name`, with the run's seed number `seed_index`; only from a share `start` of the
    training's length `stop` another, where a trial of the same policy up to there has been before.
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
    """Do work that is no training; what it finds is kept under its name."""

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
        learns_from_scores: whether what it asks next depends on the scores of trainings before.
        needs_data: whether it looks at the data itself, or continues trainings, which an objective keeps to itself.
    """

    name: str
    summary: str
    objectives: tuple[str, ...] = ("score",)
    prunes: bool = True
    learns_from_scores: bool = True
    needs_data: bool = False

    def check(self, space: SearchSpace) -> None:  # noqa: B027 (most take every space)
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
        else Fixed(name, context.baselines[name], data_fraction, is_baseline=True, stage="baselines")
    )


def recent_and_best(trials: Sequence[TrialRecord], at_most: int) -> list[TrialRecord]:
    """At most so many of the drawn `trials`, by number: all that run, then the newest and the best in equal parts. What
    a sampler learns from is bounded, so that its ten-thousandth question costs what its five-hundredth did.
    """
    drawn = [record for record in trials if record.is_drawn]
    if len(drawn) <= at_most:
        return drawn
    running = [record for record in drawn if record.is_running]
    ended = [record for record in drawn if not record.is_running]
    half = max(1, (at_most - len(running)) // 2)
    best = nlargest(half, (p for p in ended if p.values), key=lambda p: p.values[0])
    kept = {record.number: record for record in (*best, *ended[-half:], *running)}
    return [kept[number] for number in sorted(kept)]
