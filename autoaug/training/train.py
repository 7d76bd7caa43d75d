"""Train one model with one policy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.adversarial import attack, attack_magnitudes
from autoaug.training.chunks import Chunk, augmented_chunks
from autoaug.training.device import precision, with_layout
from autoaug.training.feed import inputs_at_once, shuffled
from autoaug.training.randomness import RandomState, seed_all
from autoaug.training.state import Training, TrainingPlan, new_training
from autoaug.utils.seeds import derive_seed

#: The highest norm of a step's gradient. Without this bound, steps at the highest learning rate derail short trainings:
#: five epochs of 1,000 Fashion-MNIST samples ended at 17 to 71 % over five seeds, with the bound at 78 to 80 %.
_GRADIENT = 1.0


class NonFiniteLoss(ArithmeticError):
    """The loss became NaN or infinite."""


def train_to_end(plan: TrainingPlan, training: Training | None = None) -> Training:
    """Carry out `plan` to the end, from the beginning or from the state of `training`."""
    with RandomState(derive_seed(plan.seed, "global"), plan.device):
        training = training or new_training(plan)
        for _ in train(training, plan):
            pass
    return training


def train(training: Training, plan: TrainingPlan) -> Iterator[float]:
    """Train ``training.model`` in place according to `plan`, from its current state; yield each rung that is reached.
    The global random state is seeded in every step, so that a resumed training draws as an uninterrupted one.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    if training.steps:
        generator.set_state(training.drawn)
    model = training.model.to(plan.device).train()
    if len(plan.samples.inputs.shape) == 3:
        model = model.to(memory_format=torch.channels_last)
    optimizer, stops = _optimizer(training, plan), plan.stops
    with dropping_out(model, plan.policy):
        for chunk in _chunks(training, plan, generator):
            losses = []
            for start in range(0, len(chunk.inputs), plan.batch_size):
                batch = chunk.part(start, start + plan.batch_size)
                losses += _step(training, plan, optimizer, batch, generator)
            training.meter.samples_seen += len(chunk.inputs)
            training.meter.sample_passes += len(chunk.inputs)
            if not torch.stack(losses).isfinite().all():
                raise NonFiniteLoss(f"the loss is not finite after {training.steps} of {plan.steps} steps")
            if training.steps in stops:
                training.momentum = [_momentum(optimizer, p) for p in model.parameters()]
                training.drawn = generator.get_state()
                yield stops[training.steps]


def _chunks(training: Training, plan: TrainingPlan, generator: torch.Generator) -> Iterator[Chunk]:
    """Augmented samples for the rest of the training, several steps at a time."""
    size, steps, copies = plan.batch_size, plan.steps, plan.policy.copies
    changes = [math.ceil(bound * steps) for bound in plan.policy.bounds()]
    at_once = max(1, inputs_at_once(plan.samples.inputs.shape) // size)
    ends = [0, *itertools.accumulate(chunk_sizes(steps, at_once, [*plan.stops, *changes]))]
    spans = list(itertools.pairwise(ends))
    done = sum(end <= training.steps for _, end in spans)
    order = shuffled(
        plan.taken,
        [(end - begin) * size // copies for begin, end in spans],
        torch.Generator().manual_seed(derive_seed(plan.seed, "order")),
        plan.strata,
    )
    coming = [begin for begin, _ in spans if training.steps <= begin < max(plan.stops)]
    policies = [plan.policy.at((begin + 0.5) / steps) for begin in coming]
    return augmented_chunks(training, plan, policies, itertools.islice(order, done, None), generator, first=done)


def _step(
    training: Training, plan: TrainingPlan, optimizer: torch.optim.SGD, batch: Chunk, generator: torch.Generator
) -> list[Tensor]:
    """Take one optimizer step; return the losses of the parts of the batch."""
    seed_all(derive_seed(plan.seed, "step", training.steps), plan.device)
    for group in optimizer.param_groups:
        group["lr"] = plan.recipe.learning_rate * one_cycle(training.steps / plan.steps)
    optimizer.zero_grad(set_to_none=True)
    size, losses = math.ceil(len(batch.inputs) / plan.parts), []
    for begin in range(0, len(batch.inputs), size):
        part = batch.part(begin, begin + size)
        with precision(plan.device):
            loss = _loss(training, plan, part, generator)
        torch.autograd.backward(loss * (len(part.inputs) / len(batch.inputs)))
        losses.append(loss.detach())
    torch.nn.utils.clip_grad_norm_(training.model.parameters(), _GRADIENT)
    optimizer.step()
    training.steps += 1
    return losses


def _loss(training: Training, plan: TrainingPlan, part: Chunk, generator: torch.Generator) -> Tensor:
    """The mean loss of a part of a batch; the policy's share of it is attacked."""
    model, task, how, smoothing = training.model, plan.task, plan.policy.adversarial, plan.recipe.label_smoothing
    count = round(how.share * len(part.inputs)) if how else 0
    values = part.inputs
    if how is not None and count:
        training.meter.sample_passes += how.steps * count
        if how.kind == "magnitudes":
            own = part.part(0, count)
            moved = attack_magnitudes(model, own.clean, own.plan, own.targets, how, task)
        else:
            modality = get_modality(plan.modality)
            moved = attack(model, values[:count], part.targets[:count], how, generator, task, modality)
        if how.loss == "trades":
            training.meter.sample_passes += count
            outputs = model(with_layout(torch.cat([values, moved]))).float()
            clean, attacked = outputs[: len(values)], outputs[len(values) :]
            drift = task.divergence(attacked, clean[:count]).sum() / len(values)
            return task.loss(clean, part.targets, smoothing).mean() + how.beta * drift
        values = torch.cat([moved, values[count:]])
    return task.loss(model(with_layout(values)), part.targets, smoothing).mean()


def _optimizer(training: Training, plan: TrainingPlan) -> torch.optim.SGD:
    """SGD on the model's parameters, with the momentum of `training`."""
    parameters, decay, rate = list(training.model.parameters()), plan.recipe.weight_decay, plan.recipe.learning_rate
    if plan.policy.regularization and plan.policy.regularization.weight_decay is not None:
        decay = plan.policy.regularization.weight_decay
    optimizer = torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    for parameter, momentum in zip(parameters, training.momentum, strict=False):
        optimizer.state[parameter]["momentum_buffer"] = momentum.to(parameter)
    return optimizer


def _momentum(optimizer: torch.optim.SGD, parameter: Tensor) -> Tensor:
    """The momentum of a parameter; 0 if it is not trained."""
    momentum: Tensor = optimizer.state[parameter].get("momentum_buffer", torch.zeros_like(parameter))
    return momentum


def one_cycle(done: float) -> float:
    """The learning rate, as a fraction of the highest, after a fraction `done` of the training: up from 1/25 in the
    first quarter, then down to 0, both along a cosine. Unlike PyTorch's scheduler, it supports any number of steps.
    """
    if done < 0.25:
        return 0.04 + 0.96 * (1 - math.cos(4 * math.pi * done)) / 2
    return (1 + math.cos(math.pi * (done - 0.25) / 0.75)) / 2


def chunk_sizes(steps: int, at_once: int, stops: Iterable[int]) -> list[int]:
    """Divide `steps` into chunks of at most `at_once`, with a boundary at each of `stops`."""
    bounds = sorted({*range(0, steps, at_once), *stops, steps})
    return [after - before for before, after in itertools.pairwise(bounds)]


@contextmanager
def dropping_out(model: nn.Module, policy: Policy) -> Iterator[None]:
    """In the block, apply the policy's dropout before the model's last linear layer, in training mode."""
    share = policy.regularization.dropout if policy.regularization else 0.0
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not share or not linear:
        yield
        return

    def drop(layer: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (dropout(given[0], share, layer.training), *given[1:])

    hook = linear[-1].register_forward_pre_hook(drop)
    try:
        yield
    finally:
        hook.remove()
