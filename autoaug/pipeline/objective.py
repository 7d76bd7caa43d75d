"""Search with a user's objective: a function that replaces the training of a classifier."""

from __future__ import annotations

import platform
from collections.abc import Sequence

from autoaug.errors import pausing_on_full_disk
from autoaug.evaluation.confirmation import CandidatePolicy, Deadline, confirmation_seeds, distinct, train_candidates
from autoaug.evaluation.score_store import ScoreStore
from autoaug.evaluation.score_verdict import SCORE, judge_scores, scored
from autoaug.pipeline.job import OpenExecutor
from autoaug.pipeline.objective_job import ObjectiveJob, job_of
from autoaug.pipeline.options import ObjectiveOptions
from autoaug.pipeline.policy_files import write_policy
from autoaug.pipeline.searching import known_candidates, searched_candidates
from autoaug.results import ObjectiveResult, Scored
from autoaug.runs.callbacks import listening
from autoaug.search.baselines import baseline_scores
from autoaug.search.executors import executors, resolve_executor
from autoaug.search.loop import elapsed, run_search
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import TrialRequest, summary
from autoaug.training.objective import FULL_LENGTH, Evaluate, Objective, ObjectiveSetting
from autoaug.utils.facts import Facts
from autoaug.utils.files import write_atomically
from autoaug.utils.locks import driving
from autoaug.utils.own_code import code_digest
from autoaug.utils.quantities import parse_time

#: Candidates are evaluated with so many fresh seeds even if the time is up.
_LEAST_SEEDS = 2
#: How to continue a search that was paused.
_CURE = "continue with the same call"


def search_objective(options: ObjectiveOptions) -> ObjectiveResult:
    """See `autoaug.search`; this is its implementation for objectives."""
    with listening(options.progress) as progress:
        progress.measured_by(SCORE)
        job = job_of(options, progress)
        timeout = parse_time("trial-timeout", options.trial_timeout) if options.trial_timeout is not None else None
        kind = resolve_executor(options.executor, options.workers, options.ray_address, options.device)
        alone = driving(job.folder.root, _CURE) if job.folder else pausing_on_full_disk(_CURE)
        with alone, executors(kind, options.workers, options.device, options.ray_address, timeout) as open_executor:
            result = _carry_out(job, open_executor)
            if job.folder:
                write_policy(job.folder, result.policy, job.modality)
                write_atomically(job.folder.result, result.model_dump_json(indent=2))
    return result


def _carry_out(job: ObjectiveJob, open_executor: OpenExecutor) -> ObjectiveResult:
    """The search, the confirmation and the verdict."""
    options, folder = job.options, job.folder
    place = folder.study if folder else "sqlite:///:memory:"
    study = SearchStudy(place, job.space, job.strategy, options.seed, facts=_facts(options.objective))
    ends = job.ends - elapsed(study)  # in earlier sessions
    searched = job.end_of_search
    with open_executor(ObjectiveSetting(options.objective, options.device, job.modality)) as executor:
        job.progress.part_begins(0.0, searched)  # the start of the workers says nothing of the speed
        run_search(study, executor, job.budget, FULL_LENGTH, job.tried, job.progress, training=_evaluate)
    candidates = _candidates(study, job)
    job.progress.part_begins(searched, 1.0)
    confirmed = _confirmed(job, candidates, ends, open_executor)
    return judge_scores(
        confirmed,
        tuple(summary(trial) for trial in study.ended()),
        baseline_scores(study.history().trials),
        is_held_out=options.held_out is not None,
        lost=any(candidate.kind == "searched" for candidate in candidates),
    )


def _facts(objective: Objective) -> Facts:
    """What all trials depend on: the function, by its bytecode, which each version of Python has its own of. It may
    count its calls and the like, and be called again in a notebook.
    """
    version = ".".join(platform.python_version_tuple()[:2])
    return {"task": "objective", "code_of_the_objective": {version: code_digest(objective, state=False)}}


def _evaluate(request: TrialRequest) -> Evaluate:
    return Evaluate(request.policy, request.data_fraction)


def _candidates(study: SearchStudy, job: ObjectiveJob) -> list[CandidatePolicy]:
    """The best baselines, then the best policies of the search, most promising first."""
    known = known_candidates(study, job.baselines, job.space.modality.usual_policy)
    both = distinct([*known, *searched_candidates(study)])
    return [*known, *[candidate for candidate in both if candidate.kind == "searched"][: job.options.finalists]]


def _confirmed(
    job: ObjectiveJob, candidates: Sequence[CandidatePolicy], ends: float, open_executor: OpenExecutor
) -> list[Scored]:
    """The candidates with their scores on fresh seeds; those that fail are left out."""
    options, folder = job.options, job.folder
    job.progress.say(f"confirming {len(candidates)} policies on {options.seeds} fresh seeds")
    store = ScoreStore(folder.root / "confirmation.json" if folder else None, job.judged_by)
    deadline = Deadline(ends - store.seconds, least_seeds=_LEAST_SEEDS)
    seeds = confirmation_seeds(options.seed, options.seeds)
    judge = ObjectiveSetting(options.held_out or options.objective, options.device, job.modality)
    with open_executor(judge) as executor:
        trained = train_candidates(candidates, seeds, executor, store, job.progress, deadline)
    return [
        scored(candidate, [trained.outcomes[candidate.name, seed] for seed in seeds[: trained.seeds]])
        for candidate in candidates
        if candidate.name not in trained.left_out
    ]
