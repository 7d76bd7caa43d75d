"""The parts of a network: its head, what is frozen, modes, and groups of weights with their own learning rates."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from autoaug.errors import OptionError, UnknownName
from autoaug.training.recipe import BACKBONE, Recipe

#: The module around a network that standardizes its input, which the user has not named.
_WRAPPER = "network."
#: The part of a parameter's name that names a numbered block: ``layer3`` of ``layer3.0.conv1.weight``.
_NUMBERED = re.compile(r"(.*?\d)(?:\.|$)")


def head_of(model: nn.Module) -> nn.Linear | None:
    """The last linear layer; None if there is none."""
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return linear[-1] if linear else None


def network_digest(model: nn.Module) -> str:
    """A digest of the shapes of the weights, and of whether the head is at 0, which changes what is learned."""
    weights: list[tuple[str, list[int]]] = [(name, list(tensor.shape)) for name, tensor in model.state_dict().items()]
    head = head_of(model)
    if head is not None and not head.weight.any():
        weights.append(("the head is at 0", []))
    return hashlib.sha256(json.dumps(weights).encode()).hexdigest()[:12]


def parts(model: nn.Module) -> list[list[tuple[str, nn.Parameter]]]:
    """The parameters with their names, in parts from the input to the output: the stem, the numbered blocks in their
    order, and the head. Weights without a matrix, such as those of normalizations, are in the part before them.
    """
    layer = head_of(model)
    head = set() if layer is None else {id(parameter) for parameter in layer.parameters()}
    found: list[list[tuple[str, nn.Parameter]]] = [[]]
    last: list[tuple[str, nn.Parameter]] = []
    block = ""
    for name, parameter in model.named_parameters():
        if id(parameter) in head:
            last.append((name, parameter))
            continue
        match = _NUMBERED.match(name.removeprefix(_WRAPPER))
        if match and match[1] != block and parameter.ndim > 1 and not name.endswith("bias"):
            block = match[1]
            if found[-1]:
                found.append([])
        found[-1].append((name, parameter))
    return [part for part in (*found, last) if part]


def parameter_groups(model: nn.Module, recipe: Recipe, weight_decay: float) -> list[dict[str, Any]]:
    """The trained parameters in groups for an optimizer, each with its weight decay and the ``share`` of the learning
    rate. Without layer-wise decay, SGD has a single group.
    """
    split = parts(model) if recipe.layer_decay < 1 else [list(model.named_parameters())]
    groups = []
    for place, part in enumerate(reversed(split)):
        trained = [parameter for _, parameter in part if parameter.requires_grad]
        plain = [p for p in trained if recipe.optimizer == "adamw" and p.ndim < 2]  # biases and normalizations
        decayed = [p for p in trained if not any(p is other for other in plain)]
        share = recipe.layer_decay**place
        groups += [
            {"params": own, "weight_decay": decay, "share": share}
            for own, decay in ((decayed, weight_decay), (plain, 0.0))
            if own
        ]
    return groups


def frozen_modules(model: nn.Module, recipe: Recipe) -> Iterator[nn.Module]:
    """The modules that the recipe freezes by name."""
    for name, module in model.named_modules():
        own = name.removeprefix(_WRAPPER)
        if any(own == given or own.startswith(f"{given}.") for given in recipe.freeze):
            yield module


def freeze(model: nn.Module, recipe: Recipe) -> None:
    """Turn off the gradients of the weights that the recipe freezes.

    Raises:
        OptionError: nothing would be trained, or, with ``backbone``, the network has no linear layer.
        UnknownName: a name is not that of a module.
    """
    if not recipe.freeze:
        return
    head = head_of(model)
    if BACKBONE in recipe.freeze:
        if head is None:
            raise OptionError("--freeze backbone needs a network that ends in a linear layer; name modules instead")
        for parameter in model.parameters():
            parameter.requires_grad_(False)
        for parameter in head.parameters():
            parameter.requires_grad_(True)
        return
    known = {name.removeprefix(_WRAPPER) for name, _ in model.named_modules()} - {"", "network"}
    for given in recipe.freeze:
        if given not in known:
            raise UnknownName("module to freeze", given, [BACKBONE, *known])
    for module in frozen_modules(model, recipe):
        for parameter in module.parameters():
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise OptionError(f"--freeze {','.join(recipe.freeze)} leaves nothing to train; freeze less")


def train_mode(model: nn.Module, recipe: Recipe) -> None:
    """Put the model in training mode, and what is frozen in evaluation mode, so that its statistics stay."""
    model.train()
    if BACKBONE in recipe.freeze:
        model.eval()
        head = head_of(model)
        assert head is not None
        head.train()
        return
    for module in frozen_modules(model, recipe):
        module.eval()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put the model in evaluation mode during the block; restore the mode of each of its modules afterward."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode


def features_of(model: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
    """The inputs ``[n, d]`` of the head for ``values [n, …]``, and the outputs of the model."""
    head, seen = head_of(model), []
    assert head is not None
    hook = head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    try:
        outputs: Tensor = model(values)
    finally:
        hook.remove()
    return torch.cat(seen), outputs  # a model may evaluate a large batch in parts
