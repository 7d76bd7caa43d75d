"""Confirmation: finalists and baselines trained again on fresh common seeds, whatever it is that is trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from autoaug.errors import AllTrialsFailed
from autoaug.policy.models import Policy
from autoaug.results import CandidateKind
from autoaug.search.executors import Executor, TrialSpec, run_all
from autoaug.search.progress import Progress
from autoaug.training.result import TrialResult
from autoaug.training.setting import Work
from autoaug.utils.seeds import derive_seed

T = TypeVar("T", covariant=True)


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


def train_candidates(
    candidate_policies: Sequence[CandidatePolicy],
    seeds: Sequence[int],
    executor: Executor,
    store: Store[T],
    progress: Progress,
) -> dict[tuple[str, int], T]:
    """Train every candidate on every seed; trainings that are in `store` already are not run again. Returns what each
    left behind, by the candidate's name and the seed.

    Raises:
        AllTrialsFailed: a training failed, with the cause: a comparison with holes in it is none.
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

    def specs() -> Iterator[TrialSpec]:
        for key, (candidate_policy, seed) in missing.items():
            yield TrialSpec(key, store.work(candidate_policy.policy, seed), seed)

    for key, result in run_all(executor, specs()):
        candidate_policy, seed = missing[key]
        check_complete(result, candidate_policy.name, seed, store.cure)
        found[candidate_policy.name, seed] = store.keep(candidate_policy.policy, seed, result)
        progress.training_ended(candidate_policy.name, len(found), len(pairs))
    return found


def check_complete(result: TrialResult, name: str, seed: int, cure: str) -> None:
    """Raise `AllTrialsFailed` where a training of the confirmation did not end well."""
    if result.status != "complete" or not math.isfinite(result.score):
        reason = result.reason or "its score is not finite"
        raise AllTrialsFailed(f"{name!r} failed in confirmation, seed {seed}: {reason}; {cure}")
