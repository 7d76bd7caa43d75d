"""The last stage: a run's result, as a record and as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from autoaug.data.labels import TEXTS, counts_of, format_label, kind_of, target_texts
from autoaug.data.split_findings import split_findings
from autoaug.data.splits import DataSet
from autoaug.data.texts import decode_texts
from autoaug.generate.pool import Pooled
from autoaug.pipeline.confirming import Confirmed
from autoaug.pipeline.job import Job
from autoaug.pipeline.parsing import versions
from autoaug.pipeline.pictures import CaptionedSamples, draw_examples, draw_gallery, draw_sample_gallery, to_bytes
from autoaug.pipeline.policy_files import write_policy
from autoaug.pipeline.searching import Searched
from autoaug.pipeline.transcripts import mean_errors, predicted_texts, transcripts_of
from autoaug.policy.provenance import Provenance
from autoaug.report.before_after import before_and_after
from autoaug.results import Cost, DataSummary, LongerTraining, SearchResult, TrialCounts, TrialSummary
from autoaug.search.loop import elapsed
from autoaug.search.study import SearchStudy
from autoaug.search.trial_records import summary
from autoaug.training.metrics import metric_record
from autoaug.training.tasks import Regression
from autoaug.utils.files import write_atomically
from autoaug.utils.sketch import sketch, union


def result_of(
    job: Job,
    searched: Searched,
    confirmed: Confirmed,
    longer: Sequence[LongerTraining],
    generated: Mapping[str, Pooled],
    energy: float | None,
) -> SearchResult:
    """Everything that the run found, as a record; `energy` is in watt-hours."""
    study, judgment, metric = searched.study, confirmed.judgment, metric_record(job.metric)
    own = metric_record(job.trial_metric)
    objectives = study.strategy.objectives if study else ("score",)
    history = tuple(summary(trial) for trial in study.ended()) if study else ()
    result = SearchResult(
        metric=metric,
        trial_metric=own if own != metric else None,
        verdict=judgment.verdict,
        sentence=judgment.sentence,
        returned=judgment.as_returned(),
        candidates=confirmed.candidates,
        left_out=confirmed.left_out,
        comparison=judgment.comparison,
        claims=judgment.claims,
        longer=tuple(longer),
        trials=_counts(history),
        cost=_cost(job, study, history, confirmed.seconds, energy),
        data=_data_summary(job),
        objectives=tuple(own.name if objective == "score" else objective for objective in objectives),
        stopped=searched.reason,
        exhausted=searched.stopped is not None and searched.stopped.exhausted,
        history=history,
        probes={name: dict(notes) for name, notes in study.history().probe_results.items() if notes} if study else {},
        generated={kind: pooled.facts for kind, pooled in generated.items()},
        importance=study.importance() if study else {},
        versions=versions(),
    )
    return result.model_copy(update={"transcripts": transcripts_of(job, result, confirmed)})


def _counts(history: Sequence[TrialSummary]) -> TrialCounts:
    states = Counter(trial.status for trial in history)
    return TrialCounts(complete=states["complete"], pruned=states["pruned"], failed=states["failed"])


def _cost(
    job: Job,
    study: SearchStudy | None,
    history: Sequence[TrialSummary],
    confirmation_seconds: float,
    energy: float | None,
) -> Cost:
    trials = study.ended() if study else []
    compute = sum(trial.seconds for trial in history)
    wall = elapsed(study) if study else 0.0
    return Cost(
        search_seconds=wall,
        confirmation_seconds=confirmation_seconds,
        trial_compute_seconds=compute,
        overhead_fraction=1 - compute / (job.config.workers * wall) if wall else 0.0,
        augmentation_seconds=sum(trial.outcome["augmentation_seconds"] for trial in trials),
        samples_seen=sum(trial.outcome["samples_seen"] for trial in trials),
        run_bytes=job.folder.bytes(),
        energy=energy,
    )


def _data_summary(job: Job) -> DataSummary:
    data, task = job.data, job.task
    return DataSummary(
        name=Path(data.name).name,
        fingerprint=data.fingerprint,
        classes=data.classes,
        class_counts=tuple(counts_of(data.train.labels, data.classes).tolist()) if task.classes else (),
        task=task.name,
        means=task.means if isinstance(task, Regression) else (),
        deviations=task.deviations if isinstance(task, Regression) else (),
        modality=data.modality,
        shape=data.train.inputs.shape,
        scale=dict(data.scale),
        train=len(data.train),
        validation=len(data.validation),
        test=len(data.test),
        folds=data.folds.count if data.folds else None,
        findings=tuple(finding.message for finding in (*job.audit.findings, *split_findings(data))),
    )


def _provenance(result: SearchResult, data: DataSet, earlier: Provenance | None) -> Provenance:
    """The origin of the policy, to be written to its file; includes the samples that it was chosen on `earlier`."""
    comparison, metric = result.comparison, result.metric
    chosen_on = sketch(np.concatenate([data.digests["train"], data.digests["validation"]]))
    return Provenance(
        data=result.data.name,
        data_fingerprint=result.data.fingerprint,
        verdict=result.sentence,
        metric=metric.name,
        difference=metric.plain(comparison.difference) if comparison else None,
        ci95=metric.plain_interval(comparison.ci95) if comparison else None,
        chosen_on=union(chosen_on, earlier.chosen_on) if earlier else chosen_on,
    )


def write_outcome(job: Job, result: SearchResult, confirmed: Confirmed, generated: Mapping[str, Pooled]) -> None:
    """Write everything that the run found. ``result.json`` comes last: if it exists, everything does."""
    folder, returned = job.folder, confirmed.judgment.returned
    policy = returned.policy.model_copy(update={"name": returned.name}).with_learned(job.data.learned)
    provenance = _provenance(result, job.data, policy.provenance)
    write_policy(folder, policy.model_copy(update={"provenance": provenance}), job.modality)
    _write_pictures(job, result, confirmed, generated)
    write_atomically(folder.result, result.model_dump_json(indent=2))


def _write_pictures(job: Job, result: SearchResult, confirmed: Confirmed, generated: Mapping[str, Pooled]) -> None:
    """Write pictures of generated samples, of samples through the returned policy and the finalist, and of test samples
    whose predictions changed.
    """
    folder, data, returned = job.folder, job.data, result.returned.name
    for kind, pooled in generated.items():
        if pooled.pool is not None and len(pooled.pool.samples):
            write_atomically(folder.samples(kind), to_bytes(draw_sample_gallery(pooled.pool.samples, data.classes)))
    shown = {"returned": returned}
    if result.comparison and result.comparison.candidate != returned:
        shown["finalist"] = result.comparison.candidate
    for which, name in shown.items():
        gallery = draw_gallery(result.candidate(name).policy, data, job.config.seed)
        write_atomically(folder.gallery(which), to_bytes(gallery))
    examples = _examples(job, result, confirmed)
    if examples is not None:
        write_atomically(folder.examples, to_bytes(examples))


def _examples(job: Job, result: SearchResult, confirmed: Confirmed) -> CaptionedSamples | None:
    """Test samples whose predictions changed most from one candidate to the other, if these are right or wrong."""
    pair, test, classes = before_and_after(result), job.data.test, job.data.classes
    if pair is None:
        return None
    before, after = ([confirmed.trainings[c.name, seed] for seed in c.seeds] for c in pair)
    if job.task.classes:
        old, new = (job.scoring.recognized(side) for side in (before, after))
        shares = [f"right in {100 * a:.0f} % before, {100 * b:.0f} % after" for a, b in zip(old, new, strict=True)]
        captions = [
            f"{format_label(label, classes)}: {share}" for label, share in zip(test.labels, shares, strict=True)
        ]
        return draw_examples(test, new - old, captions)
    if kind_of(test.labels) in TEXTS:
        both = (predicted_texts(job, side) for side in (before, after))
        texts = zip(decode_texts(target_texts(test.labels)), *both, strict=True)
        captions = [f"{text}: “{old}” before, “{new}” after" for text, old, new in texts]
        return draw_examples(test, mean_errors(job, before) - mean_errors(job, after), captions)
    return None
