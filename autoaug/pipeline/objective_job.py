"""What a search with a user's objective needs, from its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from autoaug.errors import OptionError
from autoaug.modalities.operators import IDENTITY, get_operator
from autoaug.pipeline.options import ObjectiveOptions
from autoaug.pipeline.parsing import parse_budget
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.runs.folder import RunFolder
from autoaug.search.baselines import CONFIRMED, affordable_baselines
from autoaug.search.budget import Budget, Reserve
from autoaug.search.progress import Progress
from autoaug.search.space import AdversarialSpace, MixingSpace, SearchSpace, load_space
from autoaug.search.strategies import Strategy, get_strategy
from autoaug.utils.clock import now
from autoaug.utils.own_code import code_digest


@dataclass(frozen=True, eq=False)
class ObjectiveJob:
    """What the stages of such a search have in common.

    Attributes:
        baselines: the known policies that a transform of samples alone can apply.
        budget: of the search.
        ends: when all of it should have ended, if no session came before.
        judged_by: the digest of the function that confirms.
    """

    options: ObjectiveOptions
    progress: Progress
    strategy: Strategy
    space: SearchSpace
    baselines: Mapping[str, Policy]
    budget: Budget
    ends: float
    judged_by: str

    @property
    def folder(self) -> RunFolder | None:
        """The folder in which the same call continues, if there is one."""
        return RunFolder(self.options.out) if self.options.out is not None else None

    @property
    def modality(self) -> str:
        """The name of the samples' modality."""
        return self.space.modality.name

    @property
    def tried(self) -> dict[str, Policy]:
        """The baselines that the search tries."""
        return {name: self.baselines[name] for name in affordable_baselines(tuple(self.baselines), self.budget)}

    @property
    def evaluations(self) -> int:
        """The most evaluations of the confirmation."""
        return (self.options.finalists + min(CONFIRMED, len(self.baselines))) * self.options.seeds

    @property
    def end_of_search(self) -> float:
        """The part of the run that the search takes; half of it under a time limit. Evaluations on a share of the data
        count as that share.
        """
        budget, strategy = self.budget, self.strategy
        policies = budget.policies + len(self.tried) if budget.policies else 0
        tried = policies * strategy.explored_fraction / strategy.explores_until
        evaluations = budget.trainings or tried or self.evaluations
        return evaluations / (evaluations + self.evaluations)


def job_of(options: ObjectiveOptions, progress: Progress) -> ObjectiveJob:
    """The job; raises `OptionError` for invalid options."""
    strategy = _strategy(options.strategy)
    budget = parse_budget(options.trials, options.time, options.budget)
    space = _of_transforms(options.space if isinstance(options.space, SearchSpace) else load_space(options.space))
    strategy.check(space)
    baselines = {name: policy for name in space.baselines if not (policy := load_policy(name)).mixing}
    job = ObjectiveJob(
        options,
        progress,
        strategy,
        space,
        baselines,
        budget,
        ends=now() + (budget.seconds or math.inf),
        judged_by=code_digest(options.held_out or options.objective),  # before its calls: it may keep state
    )
    reserve = Reserve(job.evaluations / options.workers, 0)
    return replace(job, budget=budget.model_copy(update={"reserve": reserve}))


def _strategy(name: str) -> Strategy:
    """The strategy of the search; raises `OptionError` for one that an objective cannot serve."""
    strategy = get_strategy(name)
    if strategy.needs_data:
        raise OptionError(
            f"strategy {name!r} needs access to the data or to trainings, which an objective does not give; use auto"
        )
    if len(strategy.objectives) > 1:
        raise OptionError(f"strategy {name!r} has several objectives, but your own is only one; use auto")
    return strategy


def _of_transforms(space: SearchSpace) -> SearchSpace:
    """The space without what a transform of samples alone cannot do: mixing, attacks, copies, and operators that learn
    from samples or lack what they work with.
    """
    space = space.model_copy(update={"mixing": MixingSpace(), "adversarial": AdversarialSpace(), "copies": (1, 1)})
    own = [get_operator(name) for name in space.operator_names() if name != IDENTITY]
    need_samples = {operator.name for operator in own if operator.learns or operator.prepares}
    return space.without({*space.modality.lacking(), *need_samples})
