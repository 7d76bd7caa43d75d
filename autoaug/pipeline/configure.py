"""From the user's options to a checked config and loaded data. Nothing is written before all checks pass."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from autoaug.data.audit import Audit, allowed
from autoaug.data.labels import Kind, kind_of, require_classes
from autoaug.data.loading import check_data, recognize
from autoaug.data.splits import DataSet
from autoaug.errors import DataError, DeviceError, OptionError, PolicyError, RunError, SpaceError
from autoaug.generate.filter import load_accept_function
from autoaug.generate.generator import SavedGenerator, load_generator
from autoaug.modalities.base import Modality
from autoaug.modalities.kinds import in_embedding
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.job import task_of
from autoaug.pipeline.options import CompareOptions, RunOptions, SearchOptions
from autoaug.pipeline.parsing import (
    absolute,
    check_texts,
    default_workers,
    memory_limit,
    parse_budget,
    parse_reading,
    seed_counts,
    versions,
    writable,
)
from autoaug.pipeline.training_setup import asked_recipe, asked_weights, resolved_network, training_setup
from autoaug.policy.loading import check_can_work, check_modality, load_policy
from autoaug.policy.models import Policy
from autoaug.runs.callbacks import Logged, check_trackers
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder, make_next_free, next_free
from autoaug.search.budget import Budget
from autoaug.search.executors import resolve_executor
from autoaug.search.progress import Progress
from autoaug.search.space import SearchSpace, load_space, space_of_kind, wanted_generators
from autoaug.search.storage import STUDY_NAME, check_storage
from autoaug.search.strategies import get_strategy
from autoaug.training.device import resolve_device
from autoaug.training.metrics import check_metric, check_metric_name, metrics_of
from autoaug.training.tasks import Task
from autoaug.utils.facts import changes
from autoaug.utils.quantities import parse_time
from autoaug.utils.redaction import redacted, without_secrets
from autoaug.utils.sketch import count_shared

#: The kinds of mixing in which both samples are there as wholes, so that both their texts are.
_WHOLE = {"none", "mixup"}
_UNMIXED = "which leaves parts of texts: where texts are predicted, mix by mixup or not at all"


@dataclass(frozen=True)
class _Goal:
    """The goal of a run: a search through a `space`, or a comparison of `policies`; fields of a `RunConfig`."""

    space: SearchSpace | None = None
    strategy: str = "auto"
    budget: Budget | None = None
    control: Literal["random"] | None = None
    policies: tuple[Policy, ...] = ()
    finalists: int = 3
    storage: str | None = None
    study: str = STUDY_NAME
    early_stop: bool = True

    def known(self) -> list[Policy]:
        """The given policies, and the baselines of the space."""
        return [*self.policies, *map(load_policy, self.space.baselines if self.space else ())]

    def suited(self, data: DataSet) -> _Goal:
        """The same for that data, whose kind of labels may have a standard space of its own, and whose samples may have
        default baselines of their own. Raises `SpaceError` or `PolicyError` if the space or a policy is not for their
        modality, has nothing to work with, or mixes parts of samples with texts.
        """
        modality, kind, space = get_modality(data.modality), kind_of(data.train.labels), self.space
        if space is not None and space == load_space("standard", data.modality):
            space = space_of_kind(kind, data.modality) or space
        if space is not None and space.baselines == modality.baselines:
            space = space.model_copy(update={"baselines": modality.baselines_for(data.train.inputs.shape)})
        goal = replace(self, space=space and space.without(data.lacking))
        goal._check(data.modality, kind, data.lacking)
        return goal

    def without_embedding(self, fault: str, modality: Modality) -> _Goal:
        """The same without what changes the vectors of a network's embedding, which the `fault` forbids. Raises
        `OptionError` if a policy is to change them, and `SpaceError` if nothing is left of the space.
        """
        for policy in self.known():
            if kinds := in_embedding(policy.kinds(), modality):
                raise OptionError(f"policy {policy.name!r} has {', '.join(kinds)}, but {fault}")
        space = self.space and self.space.without_kinds(modality.in_embedding)
        if self.space and space and space.is_empty:
            kinds = in_embedding(self.space.kinds(), modality)
            raise SpaceError(f"space {space.name!r} has only {', '.join(kinds)}, but {fault}")
        return replace(self, space=space)

    def _check(self, modality: str, kind: Kind, lacking: Mapping[str, str]) -> None:
        if self.space is not None:
            self.space.check_modality(modality)
            if kind == "transcription" and (cut := {*self.space.mixing.kinds} - _WHOLE):
                raise SpaceError(f"space {self.space.name!r} mixes by {', '.join(sorted(cut))}, {_UNMIXED}")
        for policy in self.known():
            check_modality(policy, modality)
            check_can_work(policy, lacking)
            if kind == "transcription" and policy.mixing and policy.mixing.kind not in _WHOLE:
                raise PolicyError(f"policy {policy.name!r} mixes by {policy.mixing.kind}, {_UNMIXED}")


@dataclass(frozen=True)
class _Machine:
    """The hardware and executor of a run; fields of a `RunConfig`."""

    device: str
    deterministic: bool
    workers: int
    executor: str
    ray_address: str | None
    trial_timeout: float | None
    memory_limit: int


def prepare(
    options: SearchOptions | CompareOptions,
    known: tuple[Audit, DataSet] | None = None,
    progress: Progress | None = None,
) -> tuple[RunConfig, DataSet, Audit]:
    """Check all that can be before there is a run folder; return config, data and audit, which may be `known`. What
    needs no data is checked before they are read, which `progress` reports.
    """
    _check_words(options)
    reading = parse_reading(options.size, options.resize, options.protect)
    first, most = seed_counts(options.seeds, options.max_seeds, options.folds)
    goal = _search_goal(options) if isinstance(options, SearchOptions) else _comparison_goal(options)
    machine = _machine(options)
    if options.out is not None:
        RunFolder(options.out).check_usable()
    asked = asked_recipe(options)
    recognize(options.data, options.modality).models.check(options.model, asked_weights(options))
    generator = _generator(options, wanted_generators(goal.space, goal.known()))
    if known is None:
        (progress or Logged()).say(f"reading {redacted(str(options.data))}")
    audit, data = known or check_data(
        *(str(options.data), machine.memory_limit, reading, options.allow, options.seed, options.folds),
        modality=options.modality,
    )
    goal = goal.suited(data)
    _check_data(data, goal, generator, options.allow)
    start, recipe, fault = training_setup(options, asked, data)
    goal = goal.without_embedding(fault, get_modality(data.modality)) if fault else goal
    task = task_of(data, recipe)
    metric = options.metric or next(iter(metrics_of(task)))
    _check_scored(metric, task, data)
    config = RunConfig(
        data=absolute(options.data),
        data_fingerprint=audit.fingerprint,
        modality=data.modality,
        resources=dict(get_modality(data.modality).resources()),
        size=reading.lengths or None,
        resize=reading.how,
        protect=reading.protect,
        allow=tuple(options.allow),
        model=resolved_network(options, data)[0],
        start=start,
        metric=metric,
        recipe=recipe,
        confirmation_seeds=first,
        most_seeds=most,
        folds=options.folds,
        cross_validated=_is_cross_validated(goal, data),
        returns=options.returns,
        seed=options.seed,
        track=tuple(options.track),
        generator=absolute(options.generator) if options.generator else None,
        accept=options.accept,
        command=without_secrets(options.command, *filter(None, (goal.storage, machine.ray_address))),
        versions=versions(),
        **vars(goal),
        **vars(machine),
    )
    return config, data, audit


def _is_cross_validated(goal: _Goal, data: DataSet) -> bool:
    """Whether each seed of the confirmation is validated on another fold. A generator has seen the training split, so
    that no model that learned from its samples may be validated on that.
    """
    return data.validation_folds is not None and not wanted_generators(goal.space, goal.known())


def _check_words(options: RunOptions) -> None:
    """Raise `OptionError` or `UnknownName` for text that cannot be written to a file, and for unknown names."""
    check_texts(options)
    writable("the run folder", str(run_folder_for(options).absolute()))
    allowed(options.allow)
    check_trackers(options.track)
    if options.metric is not None:
        check_metric_name(options.metric)


def _check_data(data: DataSet, goal: _Goal, generator: SavedGenerator | None, allow: Collection[str]) -> None:
    """Raise `DataError` if the data cannot judge what is wanted: too few test groups, policies that were chosen on test
    samples, a generator of other data, or labels that are no classes where only these will do.
    """
    data.check_test_groups()
    if "overlap" not in allow:
        _check_unseen(goal.known(), data)
    if generator is not None:
        generator.check_fits(data, "generator" in allow)
    if kinds := wanted_generators(goal.space, goal.known()):
        require_classes(data.train.labels, f"a {kinds[0]} that makes samples")
    if "robustness" in get_strategy(goal.strategy).objectives:
        require_classes(data.train.labels, "the accuracy under attack")


def _check_scored(metric: str, task: Task, data: DataSet) -> None:
    """Raise `OptionError` if the samples that policies are scored on cannot have the metric."""
    scored = {"validation": data.validation, "test": data.test}
    labels = {split: samples.labels for split, samples in scored.items()}
    check_metric(metric, task, labels, {split: samples.groups for split, samples in scored.items()})


def _check_unseen(policies: Sequence[Policy], data: DataSet) -> None:
    """Raise `DataError` if a policy was chosen on samples of the test split, because these cannot judge it."""
    cure = "use other data, or the policy of a new search (or pass --allow overlap)"
    for policy in policies:
        if (about := policy.provenance) is None:
            continue
        if seen := count_shared(about.chosen_on, data.digests["test"]):
            known = len(about.chosen_on.split())
            raise DataError(
                f"policy {policy.name!r} was chosen on samples of the test split: its file lists {known} of the "
                f"samples that it was chosen on, and the test split has {seen} of these; {cure}"
            )
        if not about.chosen_on and about.data_fingerprint == data.fingerprint and not data.has_own_test:
            raise DataError(
                f"policy {policy.name!r} is of an older version, whose test split depended on --seed, so it may have "
                f"been chosen on samples of the test split; {cure}"
            )


def _search_goal(options: SearchOptions) -> _Goal:
    """The goal of a search; raises `OptionError` or `SpaceError` for invalid options."""
    space = load_space(options.space, recognize(options.data, options.modality).name)
    strategy = get_strategy(options.strategy)
    strategy.check(space)
    if options.storage is not None:
        check_storage(options.storage)
    name = f"{Path(options.data).stem}-{secrets.token_hex(4)}"  # a database may hold studies of many runs
    return _Goal(
        space=space,
        strategy=options.strategy,
        budget=parse_budget(options.trials, options.time, options.budget),
        control=options.control,
        finalists=options.finalists,
        storage=options.storage,
        study=STUDY_NAME if options.storage is None else name,
        early_stop=options.early_stop,
    )


def _comparison_goal(options: CompareOptions) -> _Goal:
    """The goal of a comparison, with each policy under the name that the user gave.

    Raises:
        OptionError: fewer than two policies differ, or one is given twice.
        PolicyError: a policy cannot be read.
    """
    named: dict[str, Policy] = {}
    for given in options.policies:
        name, policy = given.name if isinstance(given, Policy) else str(given), load_policy(given)
        if name in named:
            raise OptionError(f"policy {name!r} is given twice; give each once")
        named[name] = policy.model_copy(update={"name": writable("policy", name), "learned": ()})  # it learns anew
    if len({policy.fingerprint() for policy in named.values()}) < 2:
        given = " and ".join(map(repr, named)) or "none"
        alike = ", which are the same policy" if len(named) > 1 else ""
        raise OptionError(f"a comparison needs at least two different policies, not {given}{alike}; give another one")
    return _Goal(policies=tuple(named.values()))


def _machine(options: RunOptions) -> _Machine:
    """The hardware and executor of the run; raises `DeviceError` or `OptionError` if they are not available."""
    device = resolve_device(options.device)
    workers = options.workers or default_workers(device, options.executor, options.ray_address)
    return _Machine(
        device=device,
        deterministic=options.deterministic,
        workers=workers,
        executor=resolve_executor(options.executor, workers, options.ray_address, device),
        ray_address=options.ray_address,
        trial_timeout=parse_time("trial-timeout", options.trial_timeout) if options.trial_timeout is not None else None,
        memory_limit=memory_limit(options.memory_limit),
    )


def _generator(options: RunOptions, kinds: Sequence[str]) -> SavedGenerator | None:
    """The given generator, if any. Raises `OptionError` if it, or the accept function, is of no use because the run
    does not use samples of its kind; `kinds` are those that the run uses.
    """
    cure = "choose a space (--space regularized) or a policy that does"
    if options.accept is not None:
        load_accept_function(options.accept)
        if not kinds:
            raise OptionError(f"--accept {options.accept}: nothing in this run uses generated samples; {cure}")
    if options.generator is None:
        return None
    generator = load_generator(Path(options.generator))
    if generator.about.kind not in kinds:
        raise OptionError(
            f"--generator {options.generator}: nothing in this run uses samples of a {generator.about.kind}; {cure}"
        )
    return generator


def run_folder_for(options: RunOptions, make: bool = False) -> Path:
    """The given run folder, or ``runs/DATA-search-N`` (or ``-compare-N``) with the next free number. With `make`, that
    number is taken: the folder exists from then on.
    """
    if options.out is not None:
        return Path(options.out)
    kind = "search" if isinstance(options, SearchOptions) else "compare"
    free = make_next_free if make else next_free
    return free(Path("runs"), f"{Path(options.data).stem.replace(':', '-')}-{kind}")


def check_trusted(code: str, folder: Path, trust: bool) -> None:
    """Raise `RunError` unless the user trusts `folder`, which names `code`: anyone may have written its files."""
    if not trust:
        raise RunError(
            f"{folder} names {code}, which would be run: if the folder is yours, or you trust its author, add --trust "
            "(in Python trust=True)"
        )


def reopen(run: str | Path, trust: bool = False) -> tuple[RunFolder, RunConfig, DataSet, Audit]:
    """Everything needed to resume a run; raises `RunError` if its data have changed, or if it names code and is not
    trusted.
    """
    folder, config = RunFolder.open(run)
    for code in config.named_code:
        check_trusted(code, folder.root, trust)
    try:
        resolve_device(config.device)
    except (DeviceError, OptionError) as fault:
        raise DeviceError(f"{fault}: change device in {folder.config}") from None
    resolve_executor(config.executor, config.workers, config.ray_address, config.device)
    check_trackers(config.track)
    models = get_modality(config.modality).models
    models.check(config.model, config.start.weights if config.start is not None else None)
    if config.accept is not None:
        load_accept_function(config.accept)
    audit, data = check_data(
        *(config.data, config.memory_limit, config.reading, config.allow, config.seed, config.folds),
        modality=config.modality,
    )
    now, then = (data.modality, audit.fingerprint), (config.modality, config.data_fingerprint)
    if now != then:
        raise RunError(
            f"the data at {config.data} have changed since {run} began ({now[0]}, fingerprint {now[1]}, not "
            f"{then[0]}, {then[1]}); restore them or begin a new run"
        )
    if differing := changes(config.resources, get_modality(config.modality).resources()):
        raise RunError(f"{run} began with {differing}; set the environment as it was, or begin a new run")
    if config.start is not None:
        start, _ = models.start(config.model, config.start.weights, data.train.inputs.shape, len(data.classes))
        if start.digest != config.start.digest:
            raise RunError(
                f"the weights {config.start.weights} have changed since {run} began (digest {start.digest}, not "
                f"{config.start.digest}); restore them or begin a new run"
            )
    return folder, config, data, audit
