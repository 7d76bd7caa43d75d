"""Confirmation: finalists and baselines trained again on fresh common seeds, whatever it is that is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from autoaug.errors import AllTrialsFailed
from autoaug.policy.models import Policy
from autoaug.results import CandidateKind
from autoaug.search.executors import Executor, TrialSpec, run_all
from autoaug.search.progress import Progress
from autoaug.training.result import TrialResult
from autoaug.training.setting import Work
from autoaug.utils.seeds import derive_seed

T = TypeVar("T", covariant=True)

#: What follows a training's first failure, which may have been the worker's fault, and its second.
_AFTER_FAILURE = ("it is trained once more", "it is left out")


@dataclass(frozen=True)
class CandidatePolicy:
    """A policy to be confirmed."""

    name: str
    kind: CandidateKind
    policy: Policy
    trial: int | None = None


class Store(Protocol[T]):
    """Where what trainings leave behind is kept from one session to the next."""

    @property
    def cure(self) -> str:
        """What to do where a training failed."""

    def work(self, policy: Policy, seed: int) -> Work:
        """The training."""

    def read(self, policy: Policy, seed: int) -> T | None:
        """What it left behind; None where it has not been, or that is damaged: it is done again."""

    def keep(self, policy: Policy, seed: int, result: TrialResult) -> T:
        """Keep what it left behind, and give it."""


def confirmation_seeds(seed: int, count: int) -> list[int]:
    """Seeds that no trial of the search was trained with, the same for every candidate."""
    return [derive_seed(seed, "confirmation", index) for index in range(count)]


def distinct(candidate_policies: Sequence[CandidatePolicy]) -> list[CandidatePolicy]:
    """Each policy once, the first kept."""
    found: dict[str, CandidatePolicy] = {}
    for candidate_policy in candidate_policies:
        found.setdefault(candidate_policy.policy.fingerprint(), candidate_policy)
    return list(found.values())


@dataclass(frozen=True)
class Trained(Generic[T]):
    """What the trainings of candidates left behind.

    Attributes:
        found: by the candidate's name and the seed; of candidates that were trained with all seeds.
        left_out: why the others failed, by name.
    """

    found: Mapping[tuple[str, int], T]
    left_out: Mapping[str, str]


def train_candidates(
    candidate_policies: Sequence[CandidatePolicy],
    seeds: Sequence[int],
    executor: Executor,
    store: Store[T],
    progress: Progress,
) -> Trained[T]:
    """Train every candidate on every seed; trainings that are in `store` already are not run again. A training that
    fails is tried once more; where it fails again, its candidate is left out, for a comparison with holes in it is
    none.

    Raises:
        AllTrialsFailed: no candidate is left, with the causes.
    """
    pairs = [(candidate_policy, seed) for seed in seeds for candidate_policy in candidate_policies]
    found: dict[tuple[str, int], T] = {}
    missing: dict[str, tuple[CandidatePolicy, int]] = {}
    for candidate_policy, seed in pairs:
        known = store.read(candidate_policy.policy, seed)
        if known is None:
            missing[f"{seed} {candidate_policy.name}"] = candidate_policy, seed
        else:
            found[candidate_policy.name, seed] = known

    left_out: dict[str, str] = {}
    for what_follows in _AFTER_FAILURE:
        left_out, again = {}, {}
        specs = (TrialSpec(key, store.work(own.policy, seed), seed) for key, (own, seed) in missing.items())
        for key, result in run_all(executor, specs):
            candidate_policy, seed = missing[key]
            if cause := failure(result):
                left_out.setdefault(candidate_policy.name, f"seed {seed}: {cause}")
                again[key] = missing[key]
                progress.warn(f"{candidate_policy.name!r} failed in confirmation, seed {seed}: {cause}; {what_follows}")
                continue
            found[candidate_policy.name, seed] = store.keep(candidate_policy.policy, seed, result)
            progress.training_ended(candidate_policy.name, len(found), len(pairs))
        missing = again
    if len(left_out) == len(candidate_policies):
        causes = (f"{name!r} failed in confirmation, {cause}" for name, cause in left_out.items())
        raise AllTrialsFailed(f"{'; '.join(causes)}; {store.cure}")
    return Trained({key: kept for key, kept in found.items() if key[0] not in left_out}, left_out)


def failure(result: TrialResult) -> str:
    """Why a training did not end well; empty where it did."""
    if result.status == "complete" and math.isfinite(result.score):
        return ""
    return result.reason or "its score is not finite"
