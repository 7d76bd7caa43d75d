"""The main job, from data to report: audit, search, confirm, judge, export. Each stage can be continued."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoaug.data.audit import Audit
from autoaug.data.splits import DataSet
from autoaug.errors import AutoaugError
from autoaug.evaluation.confirmation import (
    CandidatePolicy,
    ConfirmedTraining,
    assess,
    confirmation_seeds,
    drop_weights,
    keep_weights,
    train_candidates,
)
from autoaug.evaluation.group_sequential import interim_analyses
from autoaug.evaluation.verdict import Judgment, contenders, judge
from autoaug.exporters import export_modules
from autoaug.generate.filter import format_counts, load_accept_function
from autoaug.generate.generator import generator_digest
from autoaug.generate.pool import Pooled, PoolSettings, make_pool, pool_filter
from autoaug.modalities.image.models import build_network
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.energy import EnergyMeter
from autoaug.pipeline.parsing import versions
from autoaug.pipeline.pictures import draw_examples, draw_gallery, draw_sample_gallery, to_bytes
from autoaug.policy.loading import load_policy, read_policy
from autoaug.policy.models import Policy, Provenance
from autoaug.report import write_report
from autoaug.report.before_after import before_and_after
from autoaug.results import Candidate, Cost, DataSummary, SearchResult, TrialCounts
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import Executor, executors
from autoaug.search.loop import elapsed, run_search
from autoaug.search.progress import Progress
from autoaug.search.space import SearchSpace, wanted_generators
from autoaug.search.strategies import get_strategy
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from autoaug.training.trial import Setting, Task
from autoaug.utils.clock import now
from autoaug.utils.facts import Facts, keep_to
from autoaug.utils.files import write_whole
from autoaug.utils.seeds import derive_seed

Open = Callable[[Setting], Executor]


def run_job(folder: RunFolder, config: RunConfig, data: DataSet, found: Audit, progress: Progress) -> SearchResult:
    """Carry out what is left of a run, and write its result, policy, modules and report.

    Raises:
        RunError: what the run has kept was made with another configuration.
    """
    facts = _facts(config, data)
    keep_to(folder.confirmation / "facts.json", facts)
    generated = _generated(config, data, progress)
    task = Task(
        classes=len(data.classes),
        train=data.train,
        validation=data.validation,
        test=None,
        model=config.model,
        recipe=config.recipe,
        device=config.device,
        is_exchangeable=data.is_exchangeable,
        checkpoints=folder.checkpoints.resolve(),
        pools={kind: pooled.pool for kind, pooled in generated.items() if pooled.pool is not None},
    )
    energy = EnergyMeter()
    with executors(
        config.executor, config.workers, config.device, config.ray_address, config.trial_timeout
    ) as open_executor:
        study, candidate_policies = _entered(folder, config, task, facts, open_executor, progress)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
        begun = now()
        with open_executor(replace(task, test=data.test, checkpoints=None)) as executor:
            candidates, trainings, judgment = _confirm(
                candidate_policies, config, data, executor, folder, progress, after_search=study is not None
            )
            keep_weights(judgment.returned, executor, folder.confirmation, folder.model, progress)
        compute = sum(training.seconds for training in trainings.values())
        confirmation_seconds = max(now() - begun, compute / config.workers)  # of earlier sessions too
    result = SearchResult(
        verdict=judgment.verdict,
        sentence=judgment.sentence,
        returned=judgment.as_returned(),
        candidates=tuple(candidates),
        comparison=judgment.comparison,
        trials=_counts(study),
        cost=_cost(study, config.workers, confirmation_seconds, folder, energy.watt_hours()),
        data=_data_summary(data, found),
        objectives=study.strategy.objectives if study else ("accuracy",),
        history=tuple(summary(trial) for trial in study.ended()) if study else (),
        probes={name: dict(found) for name, found in study.history().probe_results.items() if found} if study else {},
        generated={kind: pooled.facts for kind, pooled in generated.items()},
        importance=study.importance() if study else {},
        versions=versions(),
    )
    for kind, pooled in generated.items():
        if pooled.pool is not None and len(pooled.pool.samples):
            write_whole(folder.samples(kind), to_bytes(draw_sample_gallery(pooled.pool.samples, data.classes)))
    _write(folder, result, judgment.returned, trainings, data, config.seed)
    return finish(folder)


def finish(folder: RunFolder) -> SearchResult:
    """What comes after the result of a run: what it kept for its own use goes, and the report is written."""
    shutil.rmtree(folder.checkpoints, ignore_errors=True)
    drop_weights(folder.confirmation)
    write_report(folder)
    return SearchResult.load(folder.root)


def _facts(config: RunConfig, data: DataSet) -> dict[str, Any]:
    """What every training of the run depends on beside its policy, as plain JSON values: what the configuration says of
    it, the split, and what stands behind names that may come to mean something else.
    """
    network, _ = build_network(config.model, data.train.inputs.shape, len(data.classes))
    weights = [(name, list(tensor.shape)) for name, tensor in network.state_dict().items()]
    behind = {
        "task": "classification",
        "training_split": data.train_fingerprint,
        "network": hashlib.sha256(json.dumps(weights).encode()).hexdigest()[:12],
        "generator": generator_digest(Path(config.generator)) if config.generator else None,
    }
    return config.facts() | behind


def _entered(
    folder: RunFolder, config: RunConfig, task: Task, facts: Facts, open_executor: Open, progress: Progress
) -> tuple[SearchStudy | None, list[CandidatePolicy]]:
    """The study of the search, None where there is none, and who is to be confirmed: the policies that were given, or
    finalists and baselines, with the winner of a rival search where one is asked for.
    """
    if config.space is None:
        return None, _distinct([_given(policy) for policy in config.policies])
    space = config.space.with_generators(task.pools)

    def searched(storage: Path, name: str, strategy: str, seed: int) -> SearchStudy:
        study = SearchStudy(config.storage or storage, space, get_strategy(strategy), seed, name, facts)
        if study.foreign:
            progress.warn(f"left aside: {study.foreign} trials of the study that are not of this run, or damaged")
        return _search(study, space, config, task, open_executor, progress)

    study = searched(folder.study, config.study, config.strategy, config.seed)
    candidate_policies = _candidate_policies(study, space, config.finalists)
    if config.control is not None:
        seed = derive_seed(config.seed, "rival")  # TPE begins with random draws: not the very same ones
        folder.control.mkdir(exist_ok=True)
        name = config.study if config.storage is None else f"{config.study}-rival"
        control = searched(folder.control / "study.db", name, config.control, seed)
        candidate_policies += [replace(e, name="random-search", kind="control") for e in _finalists(control, 1)]
    return study, _distinct(candidate_policies)


def _generated(config: RunConfig, data: DataSet, progress: Progress) -> dict[str, Pooled]:
    """The pools of generated samples that the run asks for; a failed one is reported, and the run goes on without."""
    found = {}
    policies = [*config.policies, *(load_policy(name) for name in (config.space.baselines if config.space else ()))]
    kinds = wanted_generators(config.space, policies)
    if not kinds:
        return {}
    sample_filter = pool_filter(data, config.seed, config.model, config.recipe, config.device)
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
        found[kind] = make_pool(kind, data, sample_filter, settings)
        facts = found[kind].facts
        if found[kind].pool is None:
            progress.warn(f"{facts['failed']}; the run goes on without it")
        else:
            progress.say(f"the sample filter: {format_counts(facts['sample_filter'])}")
    return found


def _search(
    study: SearchStudy, space: SearchSpace, config: RunConfig, task: Task, open_executor: Open, progress: Progress
) -> SearchStudy:
    """The same study, with its budget spent."""
    budget = config.budget
    assert budget is not None
    baselines = {name: load_policy(name) for name in space.baselines}
    progress.say(f"searching the space {space.name!r} with {study.strategy.name}, {config.workers} at a time")
    task = replace(task, measures_robustness="robustness" in study.strategy.objectives)
    with open_executor(task) as executor:
        run_search(study, executor, budget, task.full_length_passes(), baselines, progress)
    return study


def _confirm(
    candidate_policies: Sequence[CandidatePolicy],
    config: RunConfig,
    data: DataSet,
    executor: Executor,
    folder: RunFolder,
    progress: Progress,
    after_search: bool,
) -> tuple[list[Candidate], dict[tuple[str, int], ConfirmedTraining], Judgment]:
    """Train the candidates on the first seeds, then those between whom it is open on more, look by look."""
    planned = interim_analyses(config.confirmation_seeds, config.most_seeds)
    seeds = confirmation_seeds(config.seed, planned[-1])
    open_between = {candidate_policy.name for candidate_policy in candidate_policies}
    trainings: dict[tuple[str, int], ConfirmedTraining] = {}
    for before, count in zip((0, *planned), planned, strict=False):
        training = [
            candidate_policy for candidate_policy in candidate_policies if candidate_policy.name in open_between
        ]
        progress.say(f"confirming {len(training)} policies on {count - before} {'more' if before else 'fresh'} seeds")
        labels = data.validation.labels, data.test.labels
        sizes = len(labels[0]), len(labels[1])
        trainings |= train_candidates(
            training, seeds[before:count], executor, folder.confirmation, progress, seeds[0], sizes
        )
        candidates = [assess(e, trainings, seeds, *labels, len(data.classes)) for e in candidate_policies]
        judgment = judge(candidates, trainings, data.test.labels, after_search, planned)
        open_between = set(contenders(judgment, candidates))
        if not open_between:
            break
    return candidates, trainings, judgment


def _finalists(study: SearchStudy, count: int) -> list[CandidatePolicy]:
    """The drawn policies that the strategy thinks best, each policy once."""
    best = study.strategy.finalists(study.history())
    return _distinct([CandidatePolicy(record.name, "searched", record.policy, record.number) for record in best])[
        :count
    ]


def _distinct(candidate_policies: Sequence[CandidatePolicy]) -> list[CandidatePolicy]:
    """Each policy once, the first kept."""
    found: dict[str, CandidatePolicy] = {}
    for candidate_policy in candidate_policies:
        found.setdefault(candidate_policy.policy.fingerprint(), candidate_policy)
    return list(found.values())


def _candidate_policies(study: SearchStudy, space: SearchSpace, count: int) -> list[CandidatePolicy]:
    baselines = [CandidatePolicy(name, "baseline", load_policy(name)) for name in space.baselines]
    return [*baselines, *_finalists(study, count)]


def _given(policy: Policy) -> CandidatePolicy:
    """A policy of a comparison: a baseline where it is a published one under its own name."""
    try:
        published = read_policy(policy.name).fingerprint() == policy.fingerprint()
    except AutoaugError:
        published = False
    return CandidatePolicy(policy.name, "baseline" if published else "searched", policy)


def _counts(study: SearchStudy | None) -> TrialCounts:
    states = Counter(summary(trial).status for trial in study.ended()) if study else Counter()
    return TrialCounts(complete=states["complete"], pruned=states["pruned"], failed=states["failed"])


def _cost(
    study: SearchStudy | None, workers: int, confirmation_seconds: float, folder: RunFolder, energy: float | None
) -> Cost:
    trials = study.ended() if study else []
    compute = sum(summary(trial).seconds for trial in trials)
    wall = elapsed(study) if study else 0.0
    return Cost(
        search_seconds=wall,
        confirmation_seconds=confirmation_seconds,
        trial_compute_seconds=compute,
        overhead_fraction=1 - compute / (workers * wall) if wall else 0.0,
        augmentation_seconds=sum(trial.outcome["augmentation_seconds"] for trial in trials),
        samples_seen=sum(trial.outcome["samples_seen"] for trial in trials),
        run_bytes=folder.bytes(),
        energy=energy,
    )


def _data_summary(data: DataSet, found: Audit) -> DataSummary:
    return DataSummary(
        name=Path(data.name).name,
        fingerprint=data.fingerprint,
        classes=data.classes,
        modality=get_modality().name,
        shape=data.train.inputs.shape,
        train=len(data.train),
        validation=len(data.validation),
        test=len(data.test),
        findings=tuple(finding.message for finding in found.findings),
    )


def _provenance(result: SearchResult) -> Provenance:
    """Where the policy comes from, to stand in its file."""
    comparison = result.comparison
    return Provenance(
        data=result.data.name,
        data_fingerprint=result.data.fingerprint,
        verdict=result.sentence,
        difference=comparison.difference if comparison else None,
        ci95=comparison.ci95 if comparison else None,
    )


def _write(
    folder: RunFolder,
    result: SearchResult,
    returned: Candidate,
    trainings: dict[tuple[str, int], ConfirmedTraining],
    data: DataSet,
    seed: int,
) -> None:
    """What the run has found, ``result.json`` last: where it stands, all of it does."""
    policy = returned.policy.model_copy(update={"name": returned.name})
    for name, text in export_modules(policy).items():
        write_whole(folder.root / name, text)
    write_whole(folder.policy, policy.model_copy(update={"provenance": _provenance(result)}).to_yaml())
    shown = {"returned": policy}
    if result.comparison and result.comparison.candidate != returned.name:
        shown["finalist"] = result.candidate(result.comparison.candidate).policy
    for which, pictured in shown.items():
        write_whole(folder.gallery(which), to_bytes(draw_gallery(pictured, data.train, data.classes, seed)))
    if pair := before_and_after(result):
        predictions = [[trainings[c.name, s].test_predictions for s in c.seeds] for c in pair]
        write_whole(folder.examples, to_bytes(draw_examples(data.test, data.classes, *predictions)))
    write_whole(folder.result, result.model_dump_json(indent=2))
