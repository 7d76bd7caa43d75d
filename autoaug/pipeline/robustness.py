"""Measure the robustness of the model in a run folder, or of a model exported from one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from autoaug.data.audit import allowed
from autoaug.data.inputs import spread_rows
from autoaug.data.labels import TEXTS, kind_of, require_classes
from autoaug.data.loading import audited_source
from autoaug.data.splits import DataSet, split
from autoaug.errors import OptionError, RunError, rule_of
from autoaug.modalities.base import Reading
from autoaug.modalities.networks import Models, Start
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.configure import check_trusted
from autoaug.pipeline.options import RobustnessOptions
from autoaug.pipeline.parsing import memory_limit
from autoaug.policy.models import Adversarial
from autoaug.report import write_report
from autoaug.results.robustness import Robustness
from autoaug.runs.config import RunConfig
from autoaug.runs.folder import RunFolder
from autoaug.training.device import resolve_device
from autoaug.training.metrics import check_metric, metrics_of
from autoaug.training.robustness import Exam, measure, usual_attack
from autoaug.training.tasks import Task, task_for
from autoaug.utils.files import write_atomically
from autoaug.utils.json import read_record


def robustness_of(options: RobustnessOptions) -> Robustness:
    """See `autoaug.api.robustness`. If the data are those of the run, the result is saved in the run folder and shown
    in its report.

    A network from a user's function, which the folder names, is only built if `options.trust` is set.
    """
    how, chosen = _attack(options), resolve_device(options.device)
    model = Path(options.model)
    path = model / "model.safetensors"
    if not path.is_file():
        raise RunError(
            f"{model} has no model.safetensors; give a finished run, or a folder from autoaug export --to model"
        )
    exported = model / "model.json"
    run, config = (None, None) if exported.is_file() else RunFolder.open(model)
    about = _of(config) if config else read_record(exported, _Exported, RunError, _NO_NETWORK)
    data, tested = _tested(options, config, about)
    if kind_of(data.test.labels) not in TEXTS:
        require_classes(data.test.labels, "the accuracy under attack")
    network = about.network
    modality, task = get_modality(data.modality), task_for(data.test.labels, data.classes)
    name, metric = next(iter(metrics_of(task).items()))
    check_metric(name, task, {"test": data.test.labels})
    if modality.models.is_own(network):
        check_trusted(f"the function {network}", model, options.trust)
    modality.models.check(network)
    trained = _load(path, modality.models, about, data.train.inputs.shape, task).to(chosen)
    rows = tested[spread_rows(len(tested), options.samples)]
    how = how.model_copy(update={"kind": usual_attack(modality)})
    if how.kind == "worst-of" and how.norm != "linf":
        raise OptionError(f"--norm {how.norm}: the attack on {modality.name} data is {how.kind}, which has no norm")
    exam = Exam(task, modality, chosen, how, tuple(modality.corruptions), metric)
    robustness = measure(trained, data.test, rows, exam, options.watch)
    if run and config and config.data_fingerprint == data.fingerprint:
        write_atomically(run.robustness, robustness.model_dump_json(indent=2))
        write_report(run)
    return robustness


def _attack(options: RobustnessOptions) -> Adversarial:
    try:
        return Adversarial(kind="pgd", norm=options.norm, epsilon=options.epsilon, steps=options.steps)
    except ValidationError as fault:
        reason = fault.errors()[0]
        option, rule = reason["loc"][0] if reason["loc"] else "epsilon", rule_of(reason)
        raise OptionError(f"--{option}: {rule}") from None


_NO_NETWORK = "it does not name its network: export the run again"


class _Exported(BaseModel):
    """The fields that are read from ``model.json``."""

    network: str
    start: Start | None = None
    data_fingerprint: str = ""
    folds: int | None = None
    size: tuple[int, ...] | None = None
    resize: Literal["crop", "letterbox", "squash"] = "crop"


def _of(config: RunConfig) -> _Exported:
    return _Exported.model_validate({**vars(config), "network": config.model})


def _tested(options: RobustnessOptions, config: RunConfig | None, about: _Exported) -> tuple[DataSet, np.ndarray]:
    """The data, and the rows of the test split that the model was not trained on: the first fold for its own data with
    folds, otherwise all.
    """
    limit = config.memory_limit if config else memory_limit(None)
    reading = config.reading if config else Reading(about.size or (), about.resize)
    seed, modality = (config.seed, config.modality) if config else (0, None)
    source, audited = audited_source(str(options.data), limit, reading, options.allow, options.modality or modality)
    folds = about.folds if about.data_fingerprint == audited.fingerprint else None
    found = split(source, audited, seed, limit, allowed(options.allow), folds)
    return found, np.arange(len(found.test)) if found.folds is None else found.folds.of([seed])[seed]


def _load(path: Path, models: Models, about: _Exported, shape: tuple[int, ...], task: Task) -> nn.Module:
    blank = torch.zeros(shape[0])
    start = about.start.without_weights() if about.start is not None else None
    model = models.build(about.network, shape, task.outputs, blank, blank, seed=0, start=start)
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as fault:
        reason = " ".join(str(fault).strip().splitlines()[-1].split())  # the first one of torch has no reason
        raise RunError(
            f"{path} is damaged, or belongs to another network or other data ({reason}); give data like its run's"
        ) from None
    return model
