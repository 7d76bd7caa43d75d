"""The stages before the confirmation: generated samples, the search, and the choice of candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autoaug.data.pool import Pool
from autoaug.evaluation.confirmation import CandidatePolicy, distinct
from autoaug.generate.filter import format_counts, load_accept_function
from autoaug.generate.pool import Pooled, PoolSettings, make_pool, pool_filter
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.job import Job, OpenExecutor
from autoaug.pipeline.time_limit import as_option
from autoaug.policy.loading import load_policy, published_policy
from autoaug.policy.models import Policy
from autoaug.results import CandidateKind
from autoaug.search.baselines import UNTRIED, affordable_baselines, baseline_scores, confirmed_baselines
from autoaug.search.budget import Budget
from autoaug.search.loop import elapsed, run_search
from autoaug.search.space import SearchSpace, wanted_generators
from autoaug.search.strategies import Stop, get_strategy
from autoaug.search.study import SearchStudy
from autoaug.training.metrics import metric_record
from autoaug.training.robustness import check_examinable
from autoaug.training.setting import TrainingSetting
from autoaug.utils.facts import Facts
from autoaug.utils.seeds import derive_seed


def generated_samples(job: Job) -> dict[str, Pooled]:
    """The pools of generated samples that the run uses. A failed pool is reported, and the run continues without
    it: a search without such policies, and a comparison leaves them out.
    """
    config, data, progress = job.config, job.data, job.progress
    baselines = config.space.baselines if config.space else ()
    kinds = wanted_generators(config.space, [*config.policies, *map(load_policy, baselines)])
    if not kinds:
        return {}
    pools = {}
    sample_filter = pool_filter(data, config.seed, config.model, config.recipe, config.device, config.start)
    settings = PoolSettings(
        config.seed,
        config.device,
        Path(config.generator) if config.generator else None,
        "generator" in config.allow,
        accept=load_accept_function(config.accept) if config.accept else None,
        watch=lambda done, total, _: progress.say(f"fitting a generator: step {done} of {total}"),
    )
    for kind in kinds:
        progress.say(f"preparing generated samples ({kind})")
        pools[kind] = make_pool(kind, data, sample_filter, settings)
        facts = pools[kind].facts
        if pools[kind].pool is None:
            progress.warn(f"{facts['failed']}; the run continues without it")
        else:
            progress.say(f"the sample filter: {format_counts(facts['sample_filter'])}")
    return pools


@dataclass(frozen=True)
class _Search:
    """One of the searches of a run: the main one, or the control that it is compared with."""

    strategy: str
    seed: int
    study: str
    storage: Path


@dataclass(frozen=True, eq=False)
class Searched:
    """What comes before the confirmation.

    Attributes:
        candidates: the candidates for it.
        study: of the search; None for a comparison.
        stopped: why the search ended before its budget was spent; None if it did not.
    """

    candidates: list[CandidatePolicy]
    study: SearchStudy | None = None
    stopped: Stop | None = None

    @property
    def reason(self) -> str:
        """Why the search ended before its budget was spent; empty if it did not."""
        return self.stopped.reason if self.stopped else ""


def candidates_of(job: Job, setting: TrainingSetting, facts: Facts, open_executor: OpenExecutor) -> Searched:
    """The candidates for confirmation: the given policies, or the finalists of a search and the best baselines, with
    the winner of a control search if there is one.
    """
    config, folder = job.config, job.folder
    if config.space is None:
        return Searched(_given(job))
    space = config.space.without_kinds({*config.space.synthetic.kinds} - {"none", *setting.pools})
    main = _Search(config.strategy, config.seed, config.study, folder.study)
    study, stopped = _search(job, main, space, setting, facts, open_executor)
    finalists = _finalists(study, config.finalists, setting.pools)
    policies = {name: load_policy(name) for name in study.space.baselines}
    baselines = known_candidates(study, policies, get_modality(setting.modality).usual_policy)
    if left := [name for name in space.baselines if name not in {baseline.name for baseline in baselines}]:
        job.progress.say(
            f"not confirmed are baselines that were behind in their trials, or were not tried: {', '.join(left)}"
        )
    arms = regularized_alike(baselines, finalists, baseline_scores(study.history().trials))
    candidates = [*baselines, *arms, *finalists]
    if config.control is not None:
        seed = derive_seed(config.seed, "rival")  # TPE begins with random draws, which must differ from the control's
        folder.control.mkdir(exist_ok=True)
        name = config.study if config.storage is None else f"{config.study}-rival"
        control = _Search(config.control, seed, name, folder.control / "study.db")
        best = _finalists(_search(job, control, space, setting, facts, open_executor)[0], 1, setting.pools)
        candidates += [replace(candidate, name="random-search", kind="control") for candidate in best]
    return Searched(distinct(candidates), study, stopped)


def _search(
    job: Job,
    which: _Search,
    space: SearchSpace,
    setting: TrainingSetting,
    facts: Facts,
    open_executor: OpenExecutor,
) -> tuple[SearchStudy, Stop | None]:
    """Run a search until its budget is spent; return its study, and why it ended earlier, if it did."""
    config, progress, strategy = job.config, job.progress, get_strategy(which.strategy)
    study = SearchStudy(config.storage or which.storage, space, strategy, which.seed, which.study, facts)
    if study.foreign:
        progress.warn(f"ignored {study.foreign} trials of the study that are damaged or not from this run")
    is_control = which.storage != job.folder.study
    half = job.parts.search / 2
    part = half if is_control else 0.0, job.parts.search if is_control or not config.control else half
    budget = _budget(job, study, is_last=is_control or config.control is None)
    baselines = {name: load_policy(name) for name in affordable_baselines(space.baselines, budget)}
    if is_control:
        progress.control_begins()
    compared = metric_record(job.trial_metric).title("validation")
    progress.say(
        f"searching the space {space.name!r} with {strategy.name}, {config.workers} at a time; trials are compared by "
        f"{compared}"
    )
    if "robustness" in strategy.objectives:
        check_examinable(get_modality(setting.modality))
        setting = replace(setting, measures_robustness=True)
    progress.doing("starting the workers")
    with open_executor(setting) as executor:
        full_length = setting.full_length_passes()
        # What is left to gain is judged by the noise of shares.
        may_stop = config.early_stop and metric_record(job.trial_metric).is_share
        progress.part_begins(*part)  # the start of the workers says nothing of the speed
        stopped = run_search(study, executor, budget, full_length, baselines, progress, may_stop=may_stop)
    if job.limit:
        progress.say(f"{as_option(job.limit.left())} of the time are left for what follows the search")
    return study, stopped


def _budget(job: Job, study: SearchStudy, is_last: bool) -> Budget:
    """The budget of a search. Of a time limit it is what is left, half of that if the control search follows."""
    budget = job.config.budget
    assert budget is not None
    if job.limit is None:
        return budget
    left = job.limit.left() if is_last else job.limit.left() / 2
    return Budget(seconds=max(1e-3, elapsed(study) + left), reserve=job.limit.reserve)


def known_candidates(study: SearchStudy, policies: Mapping[str, Policy], usual: str) -> list[CandidatePolicy]:
    """The baselines among `policies` that are confirmed: no augmentation, the `usual` policy, and the best by their
    trials.
    """
    names = confirmed_baselines(tuple(policies), ("none", usual), study.history().trials)
    return [CandidatePolicy(name, "baseline", policies[name]) for name in names]


def searched_candidates(study: SearchStudy) -> list[CandidatePolicy]:
    """The policies of the search that are worth confirming, the most promising first; one may stand there twice."""
    best = study.strategy.finalists(study.history())
    return [CandidatePolicy(record.name, "searched", record.policy, record.number) for record in best]


def regularized_alike(
    baselines: Sequence[CandidatePolicy],
    finalists: Sequence[CandidatePolicy],
    scores: Mapping[str, tuple[float, float]],
) -> list[CandidatePolicy]:
    """The best of the baselines, by their `scores` (see `baseline_scores`), once more for each finalist that has weight
    decay and dropout of its own, with these: what they alone are worth is no merit of a policy.
    """
    best = max(baselines, key=lambda baseline: scores.get(baseline.name, UNTRIED))
    return [
        CandidatePolicy(
            f"{best.name}, regularized as {finalist.name}",
            "baseline",
            best.policy.model_copy(update={"regularization": finalist.policy.regularization}),
        )
        for finalist in finalists
        if finalist.policy.regularization
    ]


def _finalists(study: SearchStudy, count: int, pools: Mapping[str, Pool]) -> list[CandidatePolicy]:
    """The policies that the strategy ranks highest, each once, and as they were trained."""
    searched = searched_candidates(study)
    return distinct([replace(one, policy=as_trained(one.policy, pools)) for one in searched])[:count]


def as_trained(policy: Policy, pools: Mapping[str, Pool]) -> Policy:
    """The policy, without generated samples if the pools have none with its confidence: its trials had none."""
    if policy.synthetic is None:
        return policy
    pool = pools.get(policy.synthetic.kind)
    has_samples = pool is not None and pool.reaches(policy.synthetic.confidence)
    return policy if has_samples else policy.model_copy(update={"synthetic": None})


def _given(job: Job) -> list[CandidatePolicy]:
    """The candidates of a comparison, each policy once."""
    kept: dict[str, CandidatePolicy] = {}
    for policy in job.config.policies:
        first = kept.setdefault(policy.fingerprint(), CandidatePolicy(policy.name, _kind(policy), policy))
        if first.name != policy.name:
            job.progress.say(f"{policy.name!r} is the same policy as {first.name!r}, so it is not trained again")
    return list(kept.values())


def _kind(policy: Policy) -> CandidateKind:
    """What a policy is in a comparison: a baseline if it is a published policy under its own name."""
    published = published_policy(policy.name)
    return "baseline" if published and published.fingerprint() == policy.fingerprint() else "searched"
