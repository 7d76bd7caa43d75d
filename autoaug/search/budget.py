"""When a search stops."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Budget(BaseModel):
    """When the search stops: after a number of trials, a number of seconds, or the compute of a number of trainings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    trials: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    trainings: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(value is not None for value in (self.trials, self.seconds, self.trainings)) != 1:
            raise ValueError("a budget is one of trials, seconds or trainings; give exactly one")
        return self


@dataclass
class BudgetTracker:
    """How much of the budget is spent or committed to running trials."""

    budget: Budget
    full_length: int
    earlier_seconds: float
    begun_at: float
    begun: float
    sample_passes: int

    def spent(self, committed: float) -> float:
        """The fraction of the budget that is spent, counting the sample passes `committed` to running trials."""
        if self.budget.trials is not None:
            return self.begun / self.budget.trials
        if self.budget.seconds is not None:
            return (self.earlier_seconds + time.monotonic() - self.begun_at) / self.budget.seconds
        return (self.sample_passes + committed) / ((self.budget.trainings or 0.0) * self.full_length)

    def trainings(self) -> float | None:
        """The budget in trainings; None if it is a time limit."""
        return self.budget.trainings if self.budget.trials is None else float(self.budget.trials)
