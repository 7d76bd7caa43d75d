"""The main job from Python."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any, overload

import numpy as np

from autoaug.data.audit import Audit
from autoaug.data.splits import DataSet
from autoaug.errors import (
    Interrupted,
    NewerFormat,
    OptionError,
    PolicyError,
    RunError,
    UnknownName,
    pausing_on_full_disk,
    resume_command,
)
from autoaug.pipeline.configure import named_code, prepare, reopen, run_folder_for
from autoaug.pipeline.objective import Objective, ObjectiveResult, search_objective
from autoaug.pipeline.options import SearchOptions
from autoaug.pipeline.run import finish, run_job
from autoaug.policy.loading import load_policy, read_policy
from autoaug.policy.models import Policy
from autoaug.results import SearchResult
from autoaug.runs.callbacks import Everyone, open_trackers
from autoaug.runs.callbacks.base import Silent
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.search.progress import Progress
from autoaug.search.storage import alone_in_study
from autoaug.utils.locks import held
from autoaug.utils.redaction import shown


@overload
def search(
    data: str | Path, *, progress: Progress | None = None, command: str = "", **options: Any
) -> SearchResult: ...


@overload
def search(*, objective: Objective, progress: Progress | None = None, **options: Any) -> ObjectiveResult: ...


def search(
    data: str | Path | None = None,
    *,
    objective: Objective | None = None,
    progress: Progress | None = None,
    command: str = "",
    **options: Any,
) -> SearchResult | ObjectiveResult:
    """Search for the best augmentation policy for `data`, confirm it, and write the run folder; or for the policy that
    serves `objective` best.

    Args:
        data: a folder of samples by class, a folder of IDX files, an ``.npz``, a CSV manifest, ``"digits"``, or
            ``"torchvision:NAME"``.
        objective: in the place of `data`, a function of your own for any other task (detection, segmentation, data
            without labels): ``objective(transform, seed, fidelity) -> score``. It trains with `transform`, a
            `PolicyTransform` that moves boxes, masks and key-points with the sample, and returns a finite score, the
            higher the better. Trials for which `fidelity`, in (0, 1], is below 1 should cost that share of a whole
            one: less data is a better way than fewer epochs. All randomness should follow from `seed`.
        progress: told what happens; None for silence.
        command: what to note as the command that repeats the run; None notes this call.
        options: for `data`, the fields of `autoaug.pipeline.options.SearchOptions`, which are the options of ``autoaug search``
            with underscores: ``space``, ``strategy``, one of ``trials``, ``time`` and ``budget``, ``model``,
            ``workers``, ``seed``, ``out``, and so on. For `objective`: ``held_out`` (a second function of the same
            form that scores on data the first never saw, for the confirmation; without it the first is asked again,
            with fresh seeds), ``space``, ``strategy``, ``trials``, ``time``, ``budget``, ``seeds``, ``finalists``,
            ``seed``, ``workers``, ``executor``, ``ray_address``, ``trial_timeout``, ``device`` and ``out``, a folder
            in which the same call goes on where it was interrupted.

    Returns:
        The result: ``.policy``, ``.verdict`` and all figures; of `data` with ``.run_dir``.

    Raises:
        AutoaugError: the data or an option cannot be used, or all trials failed; nothing is left half-written.
        InUse: another process drives the run.
        DiskFull: there is no room on a disk; `resume` goes on when there is.
        Interrupted: Ctrl-C or a signal to end; `resume` goes on with ``.run_dir`` of it.
    """
    if (data is None) == (objective is None):
        raise OptionError("search takes data or an objective; give one of them")
    if objective is not None:
        known = list(inspect.signature(search_objective).parameters)
        for name in options:
            if name not in known:
                raise UnknownName("option of an objective", name, known)
        return search_objective(objective, progress=progress or Silent(), **options)
    assert data is not None
    return _run(_options(data, options), (), progress, command or _call("search", data, options))


def compare(
    data: str | Path,
    policies: Iterable[str | Path | Policy],
    *,
    progress: Progress | None = None,
    command: str = "",
    **options: Any,
) -> SearchResult:
    """Train `policies` (built-in names, files or policies) on fresh common seeds, and judge the best on validation
    against the hardest of the others; options and errors as for `search`.
    """
    given = _named(list(policies))
    names = [policy.name for policy in given]
    if len({policy.fingerprint() for policy in given}) < 2:
        raise OptionError(f"a comparison needs at least two policies that differ, not {', '.join(map(repr, names))}")
    return _run(
        _options(data, options), given, progress, command or _call("compare", data, {"policies": names, **options})
    )


def resume(run: str | Path, *, progress: Progress | None = None, trust: bool = False) -> SearchResult:
    """Go on with an interrupted run; trials and trainings that have ended are not run again. A run that is whole
    gives its result at once. Where ``config.yaml`` names code to be run (a function of your own, a Ray cluster), say
    with `trust` that the folder is yours, or from somebody whom you trust.
    """
    folder = RunFolder(run)
    result = _result(folder)
    if result is not None and folder.report.is_file():
        return result
    _, config = RunFolder.open(run)  # before anything is made there
    with _driving(folder, config):
        return finish(folder) if result is not None else _carry_out(*reopen(run, trust), progress or Silent())


def _result(folder: RunFolder) -> SearchResult | None:
    """The result of a run; None where there is none yet, or it or its policy is damaged: the run can write it again."""
    try:
        result = SearchResult.load(folder.root)
        read_policy(folder.policy)
    except NewerFormat:
        raise
    except (RunError, PolicyError):
        return None
    return result


@contextmanager
def _driving(folder: RunFolder, config: RunConfig) -> Iterator[None]:
    """Drive a run, alone; what pauses it says how to go on."""
    trust = bool(named_code(config))
    going_on = resume_command(folder.root, trust)
    alone = held(folder.root, f"wait until it has ended, or end it and go on with: {going_on}")
    with pausing_on_full_disk(f"go on with: {going_on}"), alone:
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(folder.root, trust) from None


def _run(options: SearchOptions, policies: tuple[Policy, ...], progress: Progress | None, command: str) -> SearchResult:
    config, data, found = prepare(options, policies, command)
    folder = RunFolder.create(run_folder_for(options, "compare" if policies else "search"), config)
    progress = progress or Silent()
    with _driving(folder, config):
        progress.say(f"run folder: {folder.root}")
        return _carry_out(folder, config, data, found, progress)


def _carry_out(folder: RunFolder, config: RunConfig, data: DataSet, found: Audit, progress: Progress) -> SearchResult:
    trackers = open_trackers(config.track, folder, config.shown(exclude={"space", "policies"}), progress)
    with alone_in_study(config.storage, config.study) if config.storage else nullcontext():
        result = run_job(folder, config, data, found, Everyone([progress, *trackers]))
    for tracker in trackers:
        tracker.finished(result)
    return result


def _options(data: str | Path, options: dict[str, Any]) -> SearchOptions:
    known = [field.name for field in fields(SearchOptions) if field.name != "data"]
    for name in options:
        if name not in known:
            raise UnknownName("option", name, known)
    options = {name: value.item() if isinstance(value, np.generic) else value for name, value in options.items()}
    for name in ("allow", "track"):
        options[name] = tuple(options.get(name) or ())
    return SearchOptions(str(data), **options)


def _named(policies: list[str | Path | Policy]) -> tuple[Policy, ...]:
    """Policies under names that tell them apart: what the user called them."""
    found: dict[str, Policy] = {}
    for given in policies:
        if isinstance(given, Policy):
            name, policy = given.name, given
        else:
            name, policy = str(given), load_policy(given)
        if name in found:
            raise OptionError(f"policy {name!r} is given twice; name each once")
        found[name] = policy.model_copy(update={"name": name})
    return tuple(found.values())


def _call(function: str, data: str | Path, options: dict[str, Any]) -> str:
    given = {name: shown(value) if isinstance(value, str) else value for name, value in options.items()}
    arguments = "".join(f", {name}={value!r}" for name, value in given.items() if value not in (None, ()))
    return f"autoaug.{function}({shown(str(data))!r}{arguments})"
