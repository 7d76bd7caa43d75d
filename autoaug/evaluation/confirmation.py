"""Confirmation: finalists and baselines are trained again on fresh common seeds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from autoaug.errors import AllTrialsFailed
from autoaug.policy.models import Policy
from autoaug.policy.words import policy_label
from autoaug.results import CandidateKind
from autoaug.search.executors import Executor, TrialSpec, run_all
from autoaug.search.progress import Progress
from autoaug.training.result import TrialResult
from autoaug.training.setting import Work
from autoaug.utils.clock import now
from autoaug.utils.seeds import derive_seed

T = TypeVar("T", covariant=True)

#: What happens after the first failure of a training, which may have been the worker's fault, and after the second.
_AFTER_FAILURE = ("it is trained once more", "it is left out")


@dataclass(frozen=True)
class CandidatePolicy:
    """A policy to be confirmed."""

    name: str
    kind: CandidateKind
    policy: Policy
    trial: int | None = None

    @property
    def label(self) -> str:
        """What it is called in texts."""
        return policy_label(self.name, self.policy, self.trial)


class Store(Protocol[T]):
    """Keeps the outcomes of trainings from one session to the next."""

    @property
    def cure(self) -> str:
        """What to do if a training failed, for messages."""

    def work(self, policy: Policy, seed: int) -> Work:
        """The training."""

    def read(self, policy: Policy, seed: int) -> T | None:
        """Its outcome; None if it is missing or damaged, so that the training is run again."""

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> T:
        """Keep its outcome, and return it."""


def confirmation_seeds(seed: int, count: int) -> list[int]:
    """Seeds that no trial of the search was trained with, the same for every candidate."""
    return [derive_seed(seed, "confirmation", index) for index in range(count)]


def distinct(candidate_policies: Sequence[CandidatePolicy]) -> list[CandidatePolicy]:
    """Each policy once, the first kept."""
    first: dict[str, CandidatePolicy] = {}
    for candidate_policy in candidate_policies:
        first.setdefault(candidate_policy.policy.fingerprint(), candidate_policy)
    return list(first.values())


@dataclass(frozen=True)
class Trained(Generic[T]):
    """The outcomes of the trainings of candidates.

    Attributes:
        outcomes: by the name of the candidate and the seed, for candidates that were trained with all seeds.
        left_out: why the other candidates failed, by name.
        seeds: how many seeds they were trained with, the first ones; fewer than asked for if the time was up.
    """

    outcomes: Mapping[tuple[str, int], T]
    left_out: Mapping[str, str]
    seeds: int


@dataclass(frozen=True)
class Deadline:
    """When no training begins any more.

    Attributes:
        ends: when the last training should have ended, by `now`; one that would take longer does not begin.
        training_seconds: how long a training takes, until one has been measured.
        least_seeds: trainings on so many first seeds begin in any case.
    """

    ends: float
    training_seconds: float = 0.0
    least_seeds: int = 0


#: No deadline.
ENDLESS = Deadline(math.inf)


def train_candidates(
    candidate_policies: Sequence[CandidatePolicy],
    seeds: Sequence[int],
    executor: Executor,
    store: Store[T],
    progress: Progress,
    deadline: Deadline = ENDLESS,
    told: Callable[[str, int, int], None] | None = None,
) -> Trained[T]:
    """Train every candidate on every seed until the `deadline`; trainings that are in `store` already are not run
    again. A training that fails is tried once more. If it fails again, its candidate is left out, because candidates
    are compared on common seeds. `told` is called as each training ends, in place of ``progress.training_ended``.

    Raises:
        AllTrialsFailed: no candidate is left, with the causes.
    """
    told = told or progress.training_ended
    pairs = [(candidate_policy, seed) for seed in seeds for candidate_policy in candidate_policies]
    outcomes: dict[tuple[str, int], T] = {}
    missing: dict[str, tuple[CandidatePolicy, int]] = {}
    for candidate_policy, seed in pairs:
        known = store.read(candidate_policy.policy, seed)
        if known is None:
            missing[f"{seed} {candidate_policy.name}"] = candidate_policy, seed
        else:
            outcomes[candidate_policy.name, seed] = known

    left_out: dict[str, str] = {}
    timer, first = _Timer(deadline), set(seeds[: deadline.least_seeds])
    for what_follows in _AFTER_FAILURE:
        left_out, again = {}, {}
        timely = filter(lambda item: item[1][1] in first or timer.has_room(), missing.items())
        specs = (TrialSpec(key, store.work(own.policy, seed), seed) for key, (own, seed) in timely)
        for key, result in run_all(executor, specs):
            timer.note(result)
            candidate_policy, seed = missing[key]
            if cause := _failure(result):
                reason = f"seed {seed}: {cause}"
                left_out.setdefault(candidate_policy.name, reason)
                again[key] = missing[key]
                progress.warn(f"{_failed(candidate_policy.label, reason)}; {what_follows}")
                continue
            outcomes[candidate_policy.name, seed] = store.keep(candidate_policy.policy, seed, result)
            told(candidate_policy.label, len(outcomes), len(pairs))
        missing = again
    if len(left_out) == len(candidate_policies):
        causes = (_failed(name, reason) for name, reason in left_out.items())
        raise AllTrialsFailed(f"{'; '.join(causes)}; {store.cure}")
    kept = [candidate_policy.name for candidate_policy in candidate_policies if candidate_policy.name not in left_out]
    whole = list(itertools.takewhile(lambda seed: all((name, seed) in outcomes for name in kept), seeds))
    return Trained({(name, seed): outcomes[name, seed] for seed in whole for name in kept}, left_out, len(whole))


class _Timer:
    """Tells whether another training ends before the deadline, if it takes as long as the longest one so far."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self._longest = deadline, 0.0

    def note(self, result: TrialResult) -> None:
        """A training has ended."""
        self._longest = max(self._longest, result.seconds)

    def has_room(self) -> bool:
        return now() + (self._longest or self._deadline.training_seconds) <= self._deadline.ends


def _failure(result: TrialResult) -> str:
    """Why a training failed; empty if it did not."""
    if result.status == "complete" and math.isfinite(result.score):
        return ""
    return result.reason or "its score is not finite"


def _failed(name: str, reason: str) -> str:
    return f"{name!r} failed in confirmation, {reason}"
