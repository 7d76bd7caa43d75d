"""How robust a model is that a run kept, or that was exported from one."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from autoaug.data.inputs import spread_rows
from autoaug.data.loading import check_data
from autoaug.errors import OptionError, RunError, first_line, rule_of
from autoaug.modalities.base import Models
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.configure import check_trusted
from autoaug.pipeline.options import RobustnessOptions
from autoaug.pipeline.parsing import at_least, check_seed, parse_memory
from autoaug.policy.models import Adversarial
from autoaug.report import write_report
from autoaug.results import Robustness
from autoaug.runs.folder import RunFolder
from autoaug.training.device import resolve_device
from autoaug.training.robustness import Exam, measure
from autoaug.training.tasks import Classification, Task
from autoaug.utils.files import write_whole
from autoaug.utils.json import read_record


def robustness_of(options: RobustnessOptions) -> Robustness:
    """See `autoaug.api.robustness`. A run keeps what was measured on its own data, and shows it in its report.

    A network of the user's own, whose function the folder names, is built where `options.trust` says so.
    """
    at_least("samples", options.samples, 1)
    if options.seed is not None:
        check_seed(options.seed)
    how, chosen = _attack(options), resolve_device(options.device)
    model = Path(options.model)
    path = model / "model.safetensors"
    if not path.is_file():
        raise RunError(
            f"{model} has no model.safetensors; name a finished run, or what autoaug export --to model wrote"
        )
    exported = model / "model.json"
    run, config = (None, None) if exported.is_file() else RunFolder.open(model)
    network = config.model if config else read_record(exported, _Exported, RunError, _NO_NETWORK).network
    seed = options.seed if options.seed is not None else config.seed if config else 0
    size, limit = (config.size, config.memory_limit) if config else (None, parse_memory(None))
    _, found = check_data(str(options.data), limit, size, options.allow, seed)
    modality, task = get_modality(found.modality), Classification(len(found.classes))
    if modality.models.is_own(network):
        check_trusted(f"the function {network}", model, options.trust)
    modality.models.check(network)
    trained = _load(path, modality.models, network, found.train.inputs.shape, task).to(chosen)
    rows = spread_rows(len(found.test), options.samples)
    exam = Exam(task=task, modality=modality, device=chosen, how=how, corruptions=tuple(modality.corruptions))
    robustness = measure(trained, found.test, rows, exam)
    if run and config and (config.data_fingerprint, config.seed) == (found.fingerprint, seed):
        write_whole(run.robustness, robustness.model_dump_json(indent=2))
        write_report(run)
    return robustness


def _attack(options: RobustnessOptions) -> Adversarial:
    try:
        return Adversarial(kind="pgd", norm=options.norm, epsilon=options.epsilon, steps=options.steps)
    except ValidationError as fault:
        reason = fault.errors()[0]
        option, rule = reason["loc"][0] if reason["loc"] else "epsilon", rule_of(reason)
        raise OptionError(f"--{option}: {rule}") from None


_NO_NETWORK = "it does not say which network it is of: export the run again"


class _Exported(BaseModel):
    """What is read of ``model.json``."""

    network: str


def _load(path: Path, models: Models, network: str, shape: tuple[int, ...], task: Task) -> nn.Module:
    blank = torch.zeros(shape[0])
    model = models.build(network, shape, task.outputs, blank, blank, seed=0)
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as fault:
        reason = first_line(fault)
        raise RunError(f"{path} is damaged, or of another network or other data ({reason})") from None
    return model
