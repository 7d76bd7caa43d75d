"""The optimizer of a training, its learning rate, and the average of the weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from autoaug.training.layers import parameter_groups
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, TrainingPlan

#: The share of a training in which ``warmup-cosine`` raises the learning rate.
_WARM_UP = 0.1


def new_optimizer(training: Training, plan: TrainingPlan) -> Optimizer:
    """The optimizer of the recipe for the model's parameters, with the state of `training`."""
    recipe, decay = plan.recipe, plan.recipe.weight_decay
    if plan.policy.regularization and plan.policy.regularization.weight_decay is not None:
        decay = plan.policy.regularization.weight_decay
    groups = parameter_groups(training.model, recipe, decay)
    optimizer: Optimizer
    if recipe.optimizer == "sgd":
        optimizer = SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
    else:
        optimizer = AdamW(groups, lr=recipe.learning_rate)
    if training.optimizer:
        _restore(optimizer, training.optimizer)
    return optimizer


def optimizer_state(optimizer: Optimizer) -> dict[str, Tensor]:
    """The state of the optimizer, as tensors by the number of their parameter and their name: ``0.momentum_buffer``."""
    state = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value
        for number, own in state.items()
        for name, value in own.items()
        if isinstance(value, Tensor)
    }


def _restore(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        state.setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def learning_rate(recipe: Recipe, done: float) -> float:
    """The learning rate after a fraction `done` of the training."""
    if recipe.schedule == "one-cycle":
        return recipe.learning_rate * one_cycle(done)
    if recipe.schedule == "warmup-cosine":
        return recipe.learning_rate * warmup_cosine(done)
    return recipe.learning_rate


def one_cycle(done: float) -> float:
    """The learning rate, as a fraction of the highest, after a fraction `done` of the training: up from 1/25 in the
    first quarter, then down to 0, both along a cosine. Unlike PyTorch's scheduler, it supports any number of steps.
    """
    if done < 0.25:
        return 0.04 + 0.96 * (1 - math.cos(4 * math.pi * done)) / 2
    return (1 + math.cos(math.pi * (done - 0.25) / 0.75)) / 2


def warmup_cosine(done: float) -> float:
    """The learning rate, as a fraction of the highest: up from 1 % along a line in the first tenth of the training,
    then down to 0 along a cosine (Loshchilov and Hutter, 2017; Goyal et al., 2017).
    """
    if done < _WARM_UP:
        return 0.01 + 0.99 * done / _WARM_UP
    return (1 + math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))) / 2


@torch.no_grad()
def average_weights(training: Training, recipe: Recipe) -> None:
    """Move the averaged weights toward the current ones. Early averages forget faster, so that the random weights of
    the beginning do not stay in them. Statistics of normalizations and counters are copied.
    """
    if training.averaged is None or recipe.ema is None:
        return
    keep = min(recipe.ema, (1 + training.steps) / (10 + training.steps))
    state, trained = training.model.state_dict(), dict(training.model.named_parameters())
    every = {name for name, _ in training.model.named_parameters(remove_duplicate=False)}
    for name, average in training.averaged.state_dict().items():
        if name in trained and trained[name].requires_grad:
            average.lerp_(state[name], 1 - keep)
        elif name in trained or name not in every:  # another name of the same weights is done by then
            average.copy_(state[name])
