"""The confirmation: candidates are trained again, on more and more seeds, until the data decide."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoaug.errors import AllTrialsFailed
from autoaug.evaluation.confirmation import ENDLESS, Trained, train_candidates
from autoaug.evaluation.scoring import ConfirmedTraining, Trainings, assess
from autoaug.evaluation.training_store import TrainingStore
from autoaug.evaluation.verdict import Judgment, Terms, contenders, judge
from autoaug.evaluation.wording import cut_short, out_of_time
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.forecast import GOING_ON, Parts
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
    with open_executor(job.confirmation_setting(setting)) as executor:
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
    usual = get_modality(job.modality).usual_policy
    terms = Terms(searched.study is not None, planned, job.config.returns, usual, searched.reason)
    kept, left_out = searched.candidates, list[LeftOut]()
    undecided = {candidate.name for candidate in kept}
    trainings: dict[tuple[str, int], ConfirmedTraining] = {}
    rounds, ending = _parts(job.parts, planned, len(kept)), ""
    for before, count, part in zip((0, *planned), planned, rounds, strict=False):
        job.progress.part_begins(*part)
        training = [candidate for candidate in kept if candidate.name in undecided]
        seeds_of_them = f"{count - before} {'more' if before else 'fresh'} seed{'s' * (count - before > 1)}"
        job.progress.say(f"confirming {len(training)} policies on {seeds_of_them}")
        deadline = job.limit.deadline(not before) if job.limit else ENDLESS
        try:
            trained = train_candidates(training, seeds[before:count], executor, store, job.progress, deadline)
        except AllTrialsFailed:
            if not before:
                raise
            trained = Trained({}, {candidate.name: "" for candidate in training}, 0)
        if before and trained.left_out:
            words = cut_short(before, list(trained.left_out))
            job.progress.warn(words)
            ending = f" {words}"
            break
        reached = before + _whole_rounds(trained.seeds, job.config.folds)
        if is_late := reached < count:
            words = out_of_time(reached, planned[-1])
            job.progress.say(words)
            ending = f" {words}"
            terms = replace(terms, planned=_ended_early(planned, reached))
        if reached == before:
            break
        trainings |= {key: outcome for key, outcome in trained.outcomes.items() if key[1] in seeds[:reached]}
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
        if not undecided or is_late:
            break
    judgment = replace(judgment, sentence=judgment.sentence + ending)
    return Confirmed(candidates, trainings, judgment, tuple(left_out))


def _parts(parts: Parts, planned: Sequence[int], candidates: int) -> list[tuple[float, float]]:
    """The part of the run that each round on more seeds takes, if it comes to it."""
    trainings = [
        candidates * planned[0],
        *(min(GOING_ON, candidates) * (b - a) for a, b in itertools.pairwise(planned)),
    ]
    ends = np.cumsum([0, *trainings]) / sum(trainings)
    places = parts.search + ends * (parts.confirmation - parts.search)
    return list(itertools.pairwise(places.tolist()))


def _whole_rounds(seeds: int, folds: int | None) -> int:
    """As many of the seeds as test each fold equally often."""
    return seeds - seeds % (folds or 1)


def _ended_early(planned: Sequence[int], reached: int) -> tuple[int, ...]:
    """The numbers of seeds at the analyses where the time was up after `reached`, which need not be planned: the error
    may be spent at any time that does not depend on the results (Lan and DeMets, 1983). The first analysis may spend
    all of it if it is known to be the last.
    """
    before = [count for count in planned if count < reached]
    return (*before, reached, *planned[-1:]) if before and reached < planned[-1] else (*before, reached)
