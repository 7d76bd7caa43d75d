"""From what a user asks for to a checked config and loaded data: nothing is written before all of it holds."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from autoaug.data.audit import Audit
from autoaug.data.loading import check_data
from autoaug.data.splits import DataSet
from autoaug.errors import DeviceError, OptionError, RunError
from autoaug.generate.filter import load_accept_function
from autoaug.generate.generator import SavedGenerator, load_generator
from autoaug.modalities.image.models import build_network, is_own, load_builder
from autoaug.pipeline.options import (
    SearchOptions,
    absolute,
    check_seed,
    check_size,
    check_texts,
    default_workers,
    most_seeds,
    one_of,
    parse_budget,
    parse_memory,
    parse_time,
    versions,
    within,
    writable,
)
from autoaug.policy.loading import check_modality, load_policy
from autoaug.policy.models import Policy
from autoaug.runs.callbacks import check_trackers
from autoaug.runs.config import LARGEST_COUNT, RunConfig
from autoaug.runs.folder import RunFolder, next_free
from autoaug.search.executors import resolve_executor
from autoaug.search.space import load_space, wanted_generators
from autoaug.search.storage import STUDY_NAME, check_storage
from autoaug.search.strategies import get_strategy
from autoaug.training.device import resolve_device
from autoaug.training.recipe import Recipe, default_batch_size, default_epochs
from autoaug.utils.redaction import shown, without_secrets


def prepare(options: SearchOptions, policies: tuple[Policy, ...], command: str) -> tuple[RunConfig, DataSet, Audit]:
    """Check everything that can be checked before a run folder is made. With `policies`, the run compares those
    instead of searching.
    """
    _check_writable(options, policies)
    space = None if policies else load_space(options.space)
    budget = None if policies else parse_budget(options.trials, options.time, options.budget)
    strategy = get_strategy(options.strategy)
    if space is not None:
        strategy.check(space)
    device = resolve_device(options.device)
    workers = options.workers
    if workers is None:
        workers = default_workers(device, options.executor, options.ray_address)
    _check_numbers(options, workers)
    trial_timeout = parse_time(options.trial_timeout, "trial-timeout") if options.trial_timeout else None
    if options.control is not None:
        one_of("control", options.control, ("random",))
    check_trackers(options.track)
    memory_limit = parse_memory(options.memory_limit)
    if options.out is not None:
        RunFolder(options.out).check_usable()
    if options.storage is not None:
        check_storage(options.storage)
    executor = resolve_executor(options.executor, workers, options.ray_address)
    if is_own(options.model):
        load_builder(options.model)
    asked = [*policies, *(load_policy(name) for name in (space.baselines if space else ()))]
    generator = _wanted(options, wanted_generators(space, asked))
    found, data = check_data(options.data, memory_limit, options.size, options.allow, options.seed)
    if space is not None:
        space.check_modality(data.modality)
    for policy in asked:
        check_modality(policy, data.modality)
    if generator is not None:
        allow = "generator" in options.allow
        generator.check_fits(data, allow)
    build_network(options.model, data.train.inputs.shape, len(data.classes))
    config = RunConfig(
        data=absolute(options.data),
        data_fingerprint=found.fingerprint,
        size=options.size,
        allow=options.allow,
        memory_limit=memory_limit,
        space=space,
        strategy=options.strategy,
        budget=budget,
        control="random" if options.control else None,
        policies=policies,
        model=options.model,
        recipe=_recipe(options, len(data.train)),
        confirmation_seeds=options.seeds,
        most_seeds=most_seeds(options.seeds, options.max_seeds),
        finalists=options.finalists,
        seed=options.seed,
        device=device,
        workers=workers,
        executor=executor,
        ray_address=options.ray_address,
        trial_timeout=trial_timeout,
        storage=options.storage,
        study=STUDY_NAME if options.storage is None else f"{Path(options.data).stem}-{secrets.token_hex(4)}",
        track=options.track,
        generator=absolute(options.generator) if options.generator else None,
        accept=options.accept,
        command=without_secrets(command, *filter(None, (options.storage, options.ray_address))),
        versions=versions(),
    )
    return config, data, found


def _check_writable(options: SearchOptions, policies: tuple[Policy, ...]) -> None:
    """Raise `OptionError` for a text that no file of the run could hold."""
    check_texts(options)
    writable("the run folder", str(run_folder_for(options, "run").absolute()))
    for policy in policies:
        writable("policy", policy.name)


def _check_numbers(options: SearchOptions, workers: int) -> None:
    """Raise `OptionError` for a number that is too small or too large."""
    check_seed(options.seed)
    check_size(options.size)
    for name, value, least, most in (
        ("workers", workers, 1, LARGEST_COUNT),
        ("seeds", options.seeds, 2, LARGEST_COUNT),
        ("finalists", options.finalists, 1, LARGEST_COUNT),
        ("epochs", options.epochs, 1, 10**6),
        ("batch-size", options.batch_size, 2, 10**6),
    ):
        if value is not None:
            within(name, value, least, most)


def _recipe(options: SearchOptions, inputs: int) -> Recipe:
    """The recipe of all trainings, with defaults for so many training samples."""
    equal = one_of("equal", options.equal, ("samples", "epochs"))
    counts = one_of("batch-counts", options.batch_counts, ("samples", "inputs"))
    return Recipe(
        epochs=options.epochs or default_epochs(inputs),
        batch_size=options.batch_size or default_batch_size(inputs),
        equal="epochs" if equal == "epochs" else "samples",
        batch_counts="inputs" if counts == "inputs" else "samples",
    )


def _wanted(options: SearchOptions, kinds: Sequence[str]) -> SavedGenerator | None:
    """The generator that is given, if any; raises `OptionError` where that, or a rule, is of no use, since the run asks
    for none of its `kinds` of samples.
    """
    cure = "choose a space that has them (--space regularized), or a policy"
    if options.accept is not None:
        load_accept_function(options.accept)
        if not kinds:
            raise OptionError(f"--accept {options.accept}: nothing in this run asks for generated samples; {cure}")
    if options.generator is None:
        return None
    found = load_generator(Path(options.generator))
    if found.about.kind not in kinds:
        raise OptionError(
            f"--generator {options.generator}: nothing in this run asks for samples of a {found.about.kind}; {cure}"
        )
    return found


def run_folder_for(options: SearchOptions, kind: str) -> Path:
    """The folder asked for, or ``runs/DATA-KIND-N`` with the next free number."""
    if options.out is not None:
        return Path(options.out)
    return next_free(Path("runs"), f"{Path(options.data).stem.replace(':', '-')}-{kind}")


def named_code(config: RunConfig) -> list[str]:
    """What a config names that would be run: functions of the user's own, and a cluster, whose answers are code."""
    functions = [name for name in (config.model if is_own(config.model) else None, config.accept) if name]
    cluster = [f"the Ray cluster {shown(config.ray_address)}"] if config.ray_address else []
    return [f"the function {name}" for name in functions] + cluster


def check_trusted(code: str, folder: Path, trust: bool) -> None:
    """Raise `RunError` where `folder` names `code` and is not trusted: anybody may have written what stands in it."""
    if not trust:
        raise RunError(
            f"{folder} names {code}, which would be run: if the folder is yours, or you trust whom it is from, add "
            "--trust (in Python trust=True)"
        )


def reopen(run: str | Path, trust: bool = False) -> tuple[RunFolder, RunConfig, DataSet, Audit]:
    """What is needed to go on with a run; raises `RunError` where its data have changed since, or where it names code
    and is not trusted.
    """
    folder, config = RunFolder.open(run)
    for code in named_code(config):
        check_trusted(code, folder.root, trust)
    try:
        resolve_device(config.device)
    except (DeviceError, OptionError) as fault:
        raise DeviceError(f"{fault}: change device in {folder.config}") from None
    resolve_executor(config.executor, config.workers, config.ray_address)
    check_trackers(config.track)
    if is_own(config.model):
        load_builder(config.model)
    if config.accept is not None:
        load_accept_function(config.accept)
    found, data = check_data(config.data, config.memory_limit, config.size, config.allow, config.seed)
    if found.fingerprint != config.data_fingerprint:
        raise RunError(
            f"the data at {config.data} have changed since {run} began (fingerprint {found.fingerprint}, then "
            f"{config.data_fingerprint}); restore them or begin a new run"
        )
    return folder, config, data, found
