"""After the verdict: what twice the length would give. Which policy is best may depend on it."""

from __future__ import annotations

from dataclasses import replace

from autoaug.errors import AllTrialsFailed
from autoaug.evaluation.confirmation import CandidatePolicy, train_candidates
from autoaug.evaluation.training_store import TrainingStore
from autoaug.pipeline.confirming import Confirmed
from autoaug.pipeline.job import Job, OpenExecutor
from autoaug.results import LongerTraining
from autoaug.training.metrics import score
from autoaug.training.setting import TrainingSetting

#: How many times the full length.
TIMES = 2


def train_longer(
    job: Job, confirmed: Confirmed, setting: TrainingSetting, open_executor: OpenExecutor
) -> tuple[LongerTraining, ...]:
    """One more training each, twice as long, of the returned policy and of its rival: the baseline that it is compared
    with, or, where a baseline is returned, the finalist. Empty where there is no rival, or both fail.
    """
    judgment = confirmed.judgment
    if judgment.comparison is None:
        return ()
    compared = {judgment.comparison.candidate, judgment.comparison.baseline} - {judgment.returned.name}
    rivals = [candidate for candidate in confirmed.candidates if candidate.name in compared]
    pair = [judgment.returned, *rivals[:1]]
    if job.limit and not job.limit.has_room([TIMES * candidate.seconds for candidate in pair]):
        job.progress.say("no time is left for trainings that are twice as long")
        return ()
    recipe = job.config.recipe.model_copy(update={"epochs": TIMES * job.config.recipe.epochs})
    store = TrainingStore(job.folder.confirmation / "longer", job.scoring, job.progress)
    job.progress.part_begins(job.parts.confirmation, 1.0)
    job.progress.say(f"training {' and '.join(candidate.label for candidate in pair)} once more, twice as long")
    longer = replace(job.confirmation_setting(setting), recipe=recipe)
    policies = [CandidatePolicy(one.name, one.kind, one.policy, one.trial) for one in pair]
    try:
        with open_executor(longer) as executor:
            told = job.progress.longer_ended
            trained = train_candidates(policies, job.seeds[:1], executor, store, job.progress, told=told).outcomes
    except AllTrialsFailed as fault:
        job.progress.warn(str(fault))
        return ()
    scores = {name: score(job.metric, training.test_statistics) for (name, _), training in trained.items()}
    return tuple(
        LongerTraining(
            candidate=candidate.name,
            epochs=recipe.epochs,
            before=candidate.test_scores[0],
            score=scores[candidate.name],
        )
        for candidate in pair
        if candidate.name in scores
    )
