"""One session of a run, new or resumed: it locks the run folder and notifies the trackers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from autoaug.data.audit import Audit
from autoaug.data.splits import DataSet
from autoaug.errors import Interrupted, OtherFormat, PolicyError, RunError, resume_command
from autoaug.pipeline.configure import prepare, reopen, run_folder_for
from autoaug.pipeline.forecast import Forecast
from autoaug.pipeline.forecast_timing import forecast
from autoaug.pipeline.job import Job
from autoaug.pipeline.operators import with_operators_ready
from autoaug.pipeline.options import CompareOptions, SearchOptions
from autoaug.pipeline.run import finish, run_job
from autoaug.pipeline.time_limit import earlier_seconds, resumed_limit, time_limit
from autoaug.pipeline.training_setup import setup_lines
from autoaug.policy.loading import read_policy
from autoaug.policy.models import Policy
from autoaug.results import SearchResult
from autoaug.runs.callbacks import Broadcast, Logged, listening, open_trackers
from autoaug.runs.callbacks.event_log import read_events
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.executors import NO_RAY, has_ray, load_executor
from autoaug.search.progress import Progress
from autoaug.search.storage import alone_in_study
from autoaug.utils.clock import now
from autoaug.utils.locks import driving
from autoaug.utils.options import option_of
from autoaug.utils.redaction import redacted


def begin_run(options: SearchOptions | CompareOptions, begun: float) -> SearchResult:
    """Carry out a new run, whose time counts from `begun`. Errors are those of `autoaug.search`."""
    with listening(options.progress) as progress:
        return _begin(options, begun, progress)


def _begin(options: SearchOptions | CompareOptions, begun: float, progress: Progress) -> SearchResult:
    if not options.command:
        options = replace(options, command=call_of(options))
    config, data, audit = prepare(options, progress=progress)
    load_executor(config.executor)
    progress.doing("preparing the operators")
    config, data = with_operators_ready(config, data, progress)
    job = Job(RunFolder(run_folder_for(options)), config, data, audit, progress)
    progress.doing("timing a few steps")
    planned = forecast(job)
    limit = time_limit(config, planned, begun)
    planned = limit.bound(planned) if limit else planned
    folder = _new_folder(options, config)
    with _driving(folder, config):
        progress.expects(planned.seconds, limit.left() if limit else None)
        for line in (*planned.lines, f"run folder: {folder.root}", *setup_lines(options, data)):
            progress.say(line)
        if (options.workers, options.executor, config.device) == (None, "auto", "cpu") and not has_ray():
            progress.warn(f"{NO_RAY}: trials run one after another in this process")
        return _carry_out(replace(job, folder=folder, parts=planned.parts, limit=limit))


def _new_folder(options: SearchOptions | CompareOptions, config: RunConfig) -> RunFolder:
    """The folder of a new run with its config. If that cannot be written, the number taken for it is free again."""
    root = run_folder_for(options, make=True)
    try:
        return RunFolder.create(root, config)
    except BaseException:
        if options.out is None:
            with suppress(OSError):
                root.rmdir()
        raise


def forecast_run(options: SearchOptions | CompareOptions, known: tuple[Audit, DataSet] | None = None) -> Forecast:
    """What `begin_run` with the same options would do; nothing is written. Data are read, unless they are `known`."""
    begun = now()
    config, data, audit = prepare(options, known)
    planned = forecast(Job(RunFolder(run_folder_for(options)), config, data, audit, Logged()))
    limit = time_limit(config, planned, begun)
    return limit.bound(planned) if limit else planned


def resume_run(run: str | Path, trust: bool, progress: Progress | bool | None) -> SearchResult:
    """Resume a run; see `autoaug.resume`."""
    folder = RunFolder(run)
    result = _result(folder)
    if result is not None and folder.report.is_file():
        _tell_ended(folder, progress)
        return result
    _, config = RunFolder.open(run)  # before anything is written there
    with _driving(folder, config):
        if result is not None:
            _tell_ended(folder, progress)
            return finish(folder)
        with listening(progress) as listener:
            listener.say(f"continuing {folder.root}")
            folder, config, data, audit = reopen(run, trust)
            listener.doing("preparing the operators")
            config, data = with_operators_ready(config, data, listener)
            job = Job(folder, config, data, audit, listener)
            events = read_events(folder.events) if folder.events.is_file() else []
            planned = forecast(job)
            limit = resumed_limit(config, events, planned)
            planned = limit.bound(planned, earlier_seconds(events)) if limit else planned
            listener.expects(planned.seconds, limit.left() if limit else None)
            return _carry_out(replace(job, parts=planned.parts, limit=limit))


def _tell_ended(folder: RunFolder, progress: Progress | bool | None) -> None:
    with listening(progress) as listener:
        listener.say(f"{folder.root} has ended before; this is its result")


def _result(folder: RunFolder) -> SearchResult | None:
    """The result of a run; None if there is none yet, or it or its policy is damaged and can be written again."""
    try:
        result = SearchResult.load(folder.root)
        read_policy(folder.policy)
    except OtherFormat:
        raise
    except (RunError, PolicyError):
        return None
    return result


@contextmanager
def _driving(folder: RunFolder, config: RunConfig) -> Iterator[None]:
    """Lock the run folder while the run is driven. Errors that pause the run tell how to continue."""
    trust = bool(config.named_code)
    with driving(folder.root, f"continue with: {resume_command(folder.root, trust)}"):
        folder.check_inside()
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(folder.root, trust) from None


def _carry_out(job: Job) -> SearchResult:
    config = job.config
    with open_trackers(config, job.folder, job.progress) as trackers:
        with alone_in_study(config.storage, config.study) if config.storage else nullcontext():
            result = run_job(replace(job, progress=Broadcast([job.progress, *trackers])))
        for tracker in trackers:
            tracker.finished(result)
    return result


def call_of(options: SearchOptions | CompareOptions) -> str:
    """The call that repeats a run, with all options that differ from the default."""
    words = []
    for field in fields(options):
        value = getattr(options, field.name)
        if option_of(field) is None or value == field.default:
            continue
        place = "" if field.name in ("data", "policies") else f"{field.name}="
        words.append(f"{place}{_written(value)!r}")
    return f"autoaug.{'search' if isinstance(options, SearchOptions) else 'compare'}({', '.join(words)})"


def _written(value: Any) -> Any:
    """A value as it is written in a call, with secrets hidden."""
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    if isinstance(value, Policy):
        return value.name
    return redacted(str(value)) if isinstance(value, str | Path) else value
