"""The main job, from data to report: search, confirm, judge, export. Each stage can be resumed."""

from __future__ import annotations

import shutil

from autoaug.data.split_findings import split_findings
from autoaug.evaluation.training_store import drop_weights
from autoaug.pipeline.confirming import confirm
from autoaug.pipeline.job import Job
from autoaug.pipeline.longer import train_longer
from autoaug.pipeline.outcome import result_of, write_outcome
from autoaug.pipeline.searching import candidates_of, generated_samples
from autoaug.report import write_report
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import executors
from autoaug.training.metrics import metric_record
from autoaug.utils.energy import EnergyMeter
from autoaug.utils.facts import record_facts


def run_job(job: Job) -> SearchResult:
    """Carry out what is left of a run, and write its result, policy, modules and report.

    Raises:
        RunError: the files in the run folder were made with another configuration.
    """
    folder, config, data, progress = job.folder, job.config, job.data, job.progress
    progress.measured_by(metric_record(job.trial_metric))
    assumed = (finding for finding in job.audit.findings if finding.code == "assumed")
    for finding in (*assumed, *split_findings(data)):
        progress.warn(finding.message)
    facts = job.facts()
    record_facts(folder.confirmation / "facts.json", facts)
    generated = generated_samples(job)
    setting, energy = job.setting(generated), EnergyMeter()
    hardware = config.executor, config.workers, config.device, config.ray_address, config.trial_timeout
    progress.doing("starting the workers")
    with executors(*hardware) as open_executor:
        searched = candidates_of(job, setting, facts, open_executor)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
        confirmed = confirm(job, searched, setting, open_executor)
        longer = train_longer(job, confirmed, setting, open_executor)
    progress.doing("writing the result")
    result = result_of(job, searched, confirmed, longer, generated, energy.watt_hours())
    write_outcome(job, result, confirmed, generated)
    return finish(folder)


def finish(folder: RunFolder) -> SearchResult:
    """Finish a run that has its result: delete its working files, and write the report."""
    shutil.rmtree(folder.checkpoints, ignore_errors=True)
    drop_weights(folder.confirmation)
    write_report(folder)
    return SearchResult.load(folder.root)
