"""The stage of confirmation: candidates are trained again, on more and more seeds, until the data have decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoaug.evaluation.confirmation import CandidatePolicy, train_candidates
from autoaug.evaluation.scoring import ConfirmedTraining, Trainings, assess
from autoaug.evaluation.training_store import TrainingStore
from autoaug.evaluation.verdict import Judgment, Terms, contenders, judge
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.job import Job, OpenExecutor
from autoaug.results import Candidate, LeftOut
from autoaug.search.executors import Executor
from autoaug.training.setting import TrainingSetting
from autoaug.utils.clock import now


@dataclass(frozen=True, eq=False)
class Confirmed:
    """What a confirmation found of the candidates that could be trained; `seconds` are those of all sessions together,
    as if they had been one.
    """

    candidates: tuple[Candidate, ...]
    trainings: Trainings
    judgment: Judgment
    left_out: tuple[LeftOut, ...] = ()
    seconds: float = 0.0


def confirm(
    job: Job,
    candidate_policies: Sequence[CandidatePolicy],
    setting: TrainingSetting,
    open_executor: OpenExecutor,
    after_search: bool,
) -> Confirmed:
    """Train the candidates on seeds that they share, judge them on the test split, and keep the weights of the one that
    is returned.
    """
    begun = now()
    scoring = job.scoring
    store = TrainingStore(job.folder.confirmation, scoring, job.progress, kept=job.seeds[0])
    with open_executor(replace(setting, test=job.data.test, folds=scoring.folds, checkpoints=None)) as executor:
        found = _until_decided(job, candidate_policies, executor, store, after_search)
        store.keep_weights(found.judgment.returned, executor, job.folder.model)
    compute = sum(training.seconds for training in found.trainings.values())
    return replace(found, seconds=max(now() - begun, compute / job.config.workers))


def _until_decided(
    job: Job,
    candidate_policies: Sequence[CandidatePolicy],
    executor: Executor,
    store: TrainingStore,
    after_search: bool,
) -> Confirmed:
    """Train the candidates on the first seeds, then those between whom it is open on more. A candidate whose training
    fails is left out altogether.
    """
    planned, seeds = job.planned, job.seeds
    habit = get_modality(job.modality).usual_policy
    terms = Terms(after_search, planned, job.config.returns, habit)
    kept, left_out = list(candidate_policies), list[LeftOut]()
    open_between = {candidate.name for candidate in kept}
    trainings: dict[tuple[str, int], ConfirmedTraining] = {}
    for before, count in zip((0, *planned), planned, strict=False):
        training = [candidate for candidate in kept if candidate.name in open_between]
        job.progress.say(
            f"confirming {len(training)} policies on {count - before} {'more' if before else 'fresh'} seeds"
        )
        trained = train_candidates(training, seeds[before:count], executor, store, job.progress)
        trainings |= trained.outcomes
        left_out += [
            LeftOut(name=candidate.name, kind=candidate.kind, reason=trained.left_out[candidate.name])
            for candidate in kept
            if candidate.name in trained.left_out
        ]
        kept = [candidate for candidate in kept if candidate.name not in trained.left_out]
        candidates = tuple(assess(candidate, trainings, seeds, store.scoring) for candidate in kept)
        judgment = judge(candidates, trainings, store.scoring, terms)
        open_between = set(contenders(judgment, candidates))
        if not open_between:
            break
    return Confirmed(candidates, trainings, judgment, tuple(left_out))
