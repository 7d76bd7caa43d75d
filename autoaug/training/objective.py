"""A user's objective in place of a training: the work of one call, and what all calls have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from autoaug.engine.transform import PolicyTransform
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.metrics.base import LARGEST
from autoaug.training.result import TrialResult
from autoaug.training.trial import failed
from autoaug.utils.clock import now
from autoaug.utils.own_code import same_folder
from autoaug.utils.seeds import derive_seed

#: The user's function: given a policy as a transform, a seed and a fidelity in (0, 1], it trains (on that fraction of
#: the data, or for that fraction of the time) and returns a score to be maximized.
Objective = Callable[[PolicyTransform, int, float], float]

#: The compute of one call at full fidelity: the unit of a budget.
FULL_LENGTH = 1000


@dataclass(frozen=True, eq=False)
class ObjectiveSetting:
    """What all calls have in common."""

    objective: Objective
    device: str
    modality: str

    def warm_up(self) -> None:
        """Import what policies are applied with; the objective loads what it needs itself."""
        modality = get_modality(self.modality)
        modality.register()
        _ = modality.values, modality.fusions

    def computing(self) -> AbstractContextManager[object]:
        """A context that changes nothing."""
        return nullcontext()


@dataclass(frozen=True)
class Evaluate:
    """Call the objective for `policy`, with `data_fraction` as the fidelity."""

    policy: Policy
    data_fraction: float = 1.0

    def run(self, setting: ObjectiveSetting, seed: int) -> Iterator[TrialResult]:
        """Yield one result."""
        begun = TrialResult(started=now(), sample_passes=round(FULL_LENGTH * self.data_fraction))
        transform = PolicyTransform(self.policy, derive_seed(seed, "transform"), modality=setting.modality)
        try:
            with same_folder():
                score = float(setting.objective(transform, seed, self.data_fraction))
            if LARGEST < abs(score) < math.inf:
                raise ValueError(f"the score {score:g} is too large; return one within ±{LARGEST:g}")
        except Exception as fault:  # the user's function may raise anything
            yield failed(begun, fault)
            return
        yield replace(begun, status="complete", score=score, ended=now())
