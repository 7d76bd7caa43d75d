"""When a search stops."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


@dataclass(frozen=True)
class Reserve:
    """The part of a time limit that a search leaves to what follows it.

    Attributes:
        trainings: its length, in trainings of full length one after another.
        training_seconds: how long one of them takes, until the search has measured it; 0 if that is not known.
    """

    trainings: float
    training_seconds: float


class Budget(BaseModel):
    """When the search stops: after it has tried a number of policies (neither the known ones nor repetitions count),
    after a number of seconds, or after the compute of a number of trainings. The `reserve` is the part of the seconds
    that is not the search's; no file has it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    policies: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    trainings: Annotated[float, Field(gt=0)] | None = None
    reserve: Annotated[Reserve | None, Field(exclude=True)] = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(value is not None for value in (self.policies, self.seconds, self.trainings)) != 1:
            raise ValueError("a budget is one of policies, seconds or trainings; give exactly one")
        return self


@dataclass
class PolicyCount:
    """How many policies a search has begun to try. Those that were known before do not count, nor do repetitions.

    Attributes:
        until: the fraction of the budget after which its strategy tries no new ones; the rest is for repetitions.
        wanted: the number that its strategy may try; infinite if the budget is none of policies.
        policies: the number, where a part of a training counts as that part.
        cost: of all trials until the last policy that was wanted was begun, in trainings.
        after: of the trials since then, such as repetitions, and variants at full length.
        known: the number of known policies, where a part of a training counts as that part.
        trials: the number of all trials, where a part of a training counts as that part.
    """

    until: float
    wanted: float = math.inf
    policies: float = 0.0
    cost: float = 0.0
    after: float = 0.0
    known: float = 0.0
    trials: float = 0.0
    _begun: set[tuple[str, float]] = field(default_factory=set)

    def add(self, fingerprint: str, span: tuple[float, float], data_fraction: float, is_baseline: bool) -> None:
        """A trial of the policy with that fingerprint has begun."""
        start, stop = span
        is_new = (fingerprint, start) not in self._begun
        is_wanted = is_new and not is_baseline and not self._are_enough
        self._begun.add((fingerprint, start))
        self.trials += stop - start
        self.after += data_fraction * (stop - start)
        if is_wanted:
            self.policies += stop - start
            self.cost, self.after = self.cost + self.after, 0.0
        elif is_new and is_baseline:
            self.known += stop - start

    @property
    def spent(self) -> float:
        """The fraction of a budget of policies that is spent: in proportion to their number, and once all have begun,
        in proportion to the cost.
        """
        if self._are_enough:
            return self.until * (1 + self.after / self.cost)
        return self.until * self.policies / self.wanted

    @property
    def _are_enough(self) -> bool:
        return self.policies > self.wanted - 1e-6  # parts of trainings are added up


@dataclass
class BudgetTracker:
    """How much of the budget is spent or committed to running trials.

    Attributes:
        budget: the budget.
        full_length: the sample passes of a training of full length.
        slots: the number of trials at a time.
        known: the number of known policies that are tried too.
        count: the policies that were begun.
        earlier_seconds: the time of the search in earlier sessions.
        begun_at: when this session began, by `time.monotonic`.
        sample_passes: those of all trials and probes that ended.
        measured: the seconds and the length, in trainings, of the trials that ended on all of the data. A trial on a
            share takes as many steps, so that its time says less.
    """

    budget: Budget
    full_length: int
    slots: int
    known: int
    count: PolicyCount
    earlier_seconds: float = 0.0
    begun_at: float = field(default_factory=lambda: time.monotonic())
    sample_passes: int = 0
    measured: tuple[float, float] = (0.0, 0.0)

    def spent(self, committed: float) -> float:
        """The fraction of the budget that is spent, counting the sample passes `committed` to running trials."""
        if self.budget.policies is not None:
            return self.count.spent
        if self.budget.seconds is not None:
            passed = self.earlier_seconds + time.monotonic() - self.begun_at
            return passed / max(1e-9, self.budget.seconds - self._reserved())
        return (self.sample_passes + committed) / ((self.budget.trainings or 0.0) * self.full_length)

    def done(self) -> float:
        """The fraction of the search that is over, for a user who waits for it. Of a budget of policies, the known
        ones, which come first, spend nothing.
        """
        spent = min(1.0, self.spent(0))
        if self.budget.policies is None:
            return spent
        own = self.budget.policies / self.count.until
        return (min(self.count.known, self.known) + own * spent) / (self.known + own)

    def _reserved(self) -> float:
        """The seconds that are not the search's, by what its trials took so far; what was expected counts as one."""
        reserve = self.budget.reserve
        if reserve is None:
            return 0.0
        seconds, trainings = self.measured
        if reserve.training_seconds:
            seconds, trainings = seconds + reserve.training_seconds, trainings + 1
        return reserve.trainings * seconds / trainings if trainings else 0.0

    def trainings(self) -> float | None:
        """The budget in trainings; None if that is not known."""
        if self.budget.policies is not None:
            return float(self.budget.policies + self.known)
        if self.budget.seconds is None:
            return self.budget.trainings
        reserve = self.budget.reserve
        if reserve is None or not reserve.training_seconds:
            return None
        in_turn = self.budget.seconds / reserve.training_seconds - reserve.trainings
        return max(1.0, in_turn * self.slots)
