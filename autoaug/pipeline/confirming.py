"""The confirmation: candidates are trained again, on more and more seeds, until the data decide."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autoaug.errors import AllTrialsFailed
from autoaug.evaluation.confirmation import Trained, train_candidates
from autoaug.evaluation.scoring import ConfirmedTraining, Trainings, assess
from autoaug.evaluation.training_store import TrainingStore
from autoaug.evaluation.verdict import Judgment, Terms, contenders, judge
from autoaug.evaluation.wording import cut_short
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.job import Job, OpenExecutor
from autoaug.pipeline.searching import Searched
from autoaug.results import Candidate, LeftOut
from autoaug.search.executors import Executor
from autoaug.training.setting import TrainingSetting
from autoaug.utils.clock import now


@dataclass(frozen=True, eq=False)
class Confirmed:
    """The outcome of a confirmation. `left_out` are the candidates that could not be trained, and `seconds` is the time
    of all sessions together.
    """

    candidates: tuple[Candidate, ...]
    trainings: Trainings
    judgment: Judgment
    left_out: tuple[LeftOut, ...] = ()
    seconds: float = 0.0


def confirm(
    job: Job,
    searched: Searched,
    setting: TrainingSetting,
    open_executor: OpenExecutor,
) -> Confirmed:
    """Train the candidates on common seeds, judge them on the test split, and keep the weights of the returned one."""
    begun = now()
    scoring = job.scoring
    store = TrainingStore(job.folder.confirmation, scoring, job.progress, kept=job.seeds[0])
    with open_executor(replace(setting, test=job.data.test, folds=scoring.folds, checkpoints=None)) as executor:
        confirmed = _until_decided(job, searched, executor, store)
        store.keep_weights(confirmed.judgment.returned, executor, job.folder.model)
    compute = sum(training.seconds for training in confirmed.trainings.values())
    return replace(confirmed, seconds=max(now() - begun, compute / job.config.workers))


def _until_decided(
    job: Job,
    searched: Searched,
    executor: Executor,
    store: TrainingStore,
) -> Confirmed:
    """Train all candidates on the first seeds, then those that are still undecided on more. A candidate whose training
    fails twice on the first seeds is left out. Where one fails on more seeds, the verdict on the seeds before stands.
    """
    planned, seeds = job.planned, job.seeds
    habit = get_modality(job.modality).usual_policy
    terms = Terms(searched.study is not None, planned, job.config.returns, habit, searched.stopped)
    kept, left_out = searched.candidates, list[LeftOut]()
    undecided = {candidate.name for candidate in kept}
    trainings: dict[tuple[str, int], ConfirmedTraining] = {}
    ending = ""
    for before, count in zip((0, *planned), planned, strict=False):
        training = [candidate for candidate in kept if candidate.name in undecided]
        job.progress.say(
            f"confirming {len(training)} policies on {count - before} {'more' if before else 'fresh'} seeds"
        )
        try:
            trained = train_candidates(training, seeds[before:count], executor, store, job.progress)
        except AllTrialsFailed:
            if not before:
                raise
            trained = Trained({}, {candidate.name: "" for candidate in training})
        if before and trained.left_out:
            words = cut_short(before, list(trained.left_out))
            job.progress.warn(words)
            ending = f" {words}"
            break
        trainings |= trained.outcomes
        left_out += [
            LeftOut(name=candidate.name, kind=candidate.kind, reason=trained.left_out[candidate.name])
            for candidate in kept
            if candidate.name in trained.left_out
        ]
        kept = [candidate for candidate in kept if candidate.name not in trained.left_out]
        candidates = tuple(assess(candidate, trainings, seeds, store.scoring) for candidate in kept)
        lost = any(one.kind == "searched" for one in left_out)
        judgment = judge(candidates, trainings, store.scoring, replace(terms, lost=lost))
        undecided = set(contenders(judgment, candidates, terms.after_search))
        if not undecided:
            break
    judgment = replace(judgment, sentence=judgment.sentence + ending)
    return Confirmed(candidates, trainings, judgment, tuple(left_out))
