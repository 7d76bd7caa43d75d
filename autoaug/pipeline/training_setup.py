"""The network, the weights and the recipe of a run, checked before anything slow begins."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from autoaug.data.labels import kind_of
from autoaug.data.splits import DataSet
from autoaug.data.texts import frames_needed
from autoaug.errors import AutoaugError, OptionError, typed_line
from autoaug.modalities.networks import Start
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.options import RunOptions
from autoaug.pipeline.parsing import absolute
from autoaug.training.embedding import embedding_fault
from autoaug.training.feed import float_batches
from autoaug.training.layers import freeze, train_mode
from autoaug.training.presets import Changes, load_changes, resolve_recipe
from autoaug.training.probe import check_probe
from autoaug.training.recipe import Recipe
from autoaug.training.tasks import task_for


def asked_weights(options: RunOptions) -> str | None:
    """The weights that trainings begin from: an absolute path, or a word that the modality knows."""
    given = options.weights
    if given is None:
        return None
    return absolute(given) if isinstance(given, Path) or Path(given).exists() else str(given)


def resolved_network(options: RunOptions, data: DataSet) -> tuple[str, str]:
    """The name of the network that the options stand for with these data, and why. Raises `OptionError` if there is
    none for texts.
    """
    modality, shape = get_modality(data.modality), data.train.inputs.shape
    if options.model != "auto" or kind_of(data.train.labels) != "transcription":
        return modality.models.resolve(options.model, shape)
    if not modality.transcriber:
        raise OptionError(
            f"--model auto: for texts of samples of the modality {modality.name!r} there is no network; name your own "
            "as --model module:function"
        )
    return modality.models.resolve(modality.transcriber, shape)


def asked_recipe(options: RunOptions) -> Changes:
    """The recipe that the options ask for; raises `OptionError` if it breaks a rule."""
    changes = load_changes(str(options.recipe))
    own = {
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "learning_rate": options.lr,
        "optimizer": options.optimizer,
        "freeze": options.freeze,
        "class_weights": options.class_weights,
        "sampling": options.sampling,
        "equal": options.equal,
        "batch_counts": options.batch_counts,
    }
    given = {name: value for name, value in own.items() if value is not None}
    return Changes.model_validate(changes.model_dump() | given)


def training_setup(options: RunOptions, changes: Changes, data: DataSet) -> tuple[Start | None, Recipe, str | None]:
    """What trainings begin from, their recipe, and why vectors of the network's embedding cannot be changed, if so.

    Raises:
        OptionError: the weights do not fit the network, the network does not fit the data, or the recipe fits neither.
    """
    setup = _setup(options, changes, data)
    _check_network(setup.network, setup.model, setup.recipe, data)
    return setup.start, setup.recipe, setup.embedding_fault


def setup_lines(options: RunOptions, data: DataSet) -> list[str]:
    """Which network, weights and recipe a run has, and why."""
    return _setup(options, asked_recipe(options), data).lines


class _Setup(NamedTuple):
    model: str
    network: nn.Module
    start: Start | None
    recipe: Recipe
    embedding_fault: str | None
    lines: list[str]


def _setup(options: RunOptions, changes: Changes, data: DataSet) -> _Setup:
    modality = get_modality(data.modality)
    models, shape = modality.models, data.train.inputs.shape
    (model, reason), task = resolved_network(options, data), task_for(data.train.labels, data.classes)
    weights, start, about_weights = asked_weights(options), None, []
    if weights is not None:
        start, words = models.start(model, weights, shape, task.outputs, keep_size=options.size is not None)
        about_weights = [words]
    elif changes.base in ("finetune", "probe") and not models.is_own(model):
        raise OptionError(
            f"--recipe {changes.base} continues from weights: add --weights pretrained or a file (only a network of "
            "your own may bring its weights along)"
        )
    blank = torch.ones(shape[0])
    network = models.build(model, shape, task.outputs, blank, blank, seed=0, start=start)
    recipe, why = resolve_recipe(changes, network, weights is not None, len(data.train), task.name)
    lines = [f"model: {model} ({reason})", *about_weights, f"recipe: {recipe.words} ({why})"]
    fault = embedding_fault(network, _few(data), modality) if modality.in_embedding else None
    if fault is not None:
        lines.append(f"{' and '.join(modality.in_embedding)} are left out: {fault}")
    return _Setup(model, network, start, recipe, fault, lines)


def _few(data: DataSet) -> Tensor:
    """Two training samples, or one if there are no more, to try a network on."""
    rows = np.arange(min(2, len(data.train)))
    return next(float_batches(data.train.inputs, iter([rows]), "cpu", data.modality))


def _check_network(network: nn.Module, name: str, recipe: Recipe, data: DataSet) -> None:
    """Raise `OptionError` if the network has nothing to train, fails on two samples, gives other outputs, or does not
    suit the recipe.
    """
    freeze(network, recipe)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise OptionError(f"--model {name} has no parameters to train: all are frozen, or there are none")
    values = _few(data)
    train_mode(network, recipe)
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            outputs = network(values)
    except AutoaugError:
        raise
    except (Exception, SystemExit) as fault:  # a user's network may raise anything
        raise OptionError(
            f"--model {name} fails on samples of shape {list(values.shape[1:])}: {typed_line(fault)}"
        ) from fault
    _check_outputs(outputs, len(values), name, data)
    if recipe.views is not None:
        check_probe(network, values)


def _check_outputs(outputs: object, n: int, name: str, data: DataSet) -> None:
    """Raise `OptionError` if the network's outputs for n samples are not what the task needs."""
    task = task_for(data.train.labels, data.classes)
    wanted = task.output_shape(n)
    if not isinstance(outputs, torch.Tensor) or not _fits(outputs.shape, wanted):
        given = list(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise OptionError(
            f"--model {name} must give outputs of shape [{', '.join(map(str, wanted))}] for {n} samples, not {given}"
        )
    if not outputs.is_floating_point():
        raise OptionError(f"--model {name} must give floating-point outputs, not {outputs.dtype}")
    is_spoken = kind_of(data.train.labels) == "transcription"
    if is_spoken and (least := int(frames_needed(data.train.labels).max())) > outputs.shape[1]:
        raise OptionError(
            f"--model {name} gives {outputs.shape[1]} frames for samples of shape {list(data.train.inputs.shape)}, but "
            f"a training text needs {least}: one per character, and one between two that are the same; shorten it, or "
            "give longer samples"
        )


def _fits(shape: Sequence[int], wanted: Sequence[int | str]) -> bool:
    """Whether a shape is as wanted, where a word stands for any size."""
    return len(shape) == len(wanted) and all(
        own == size or isinstance(size, str) for own, size in zip(shape, wanted, strict=True)
    )
