"""Train one model with one policy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.optim import Optimizer

from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.adversarial import attack, attack_magnitudes
from autoaug.training.chunks import Chunk, augmented_chunks, spans_of
from autoaug.training.device import one_thread, precision
from autoaug.training.embedding import NetworkInput, outputs_of
from autoaug.training.feed import inputs_at_once, shuffled
from autoaug.training.layers import head_of, train_mode
from autoaug.training.optimizers import average_weights, learning_rate, new_optimizer, optimizer_state
from autoaug.training.probe import feature_chunks, kept_views
from autoaug.training.randomness import RandomState, seed_all
from autoaug.training.state import Training, TrainingPlan, new_training
from autoaug.utils.seeds import derive_seed


class NonFiniteLoss(ArithmeticError):
    """The loss became NaN or infinite."""


#: Is told the number of finished steps and of all steps.
Watch = Callable[[int, int], None]


def train_to_end(plan: TrainingPlan, training: Training | None = None, watch: Watch | None = None) -> Training:
    """Carry out `plan` to the end, from the beginning or from the state of `training`; `watch` follows each step. On a
    CPU it takes one thread, as trials do: with two, small networks mostly wait, which took 12 times the CPU time on a
    busy machine.
    """
    with one_thread(plan.device), RandomState(derive_seed(plan.seed, "global"), plan.device):
        training = training or new_training(plan)
        for _ in train(training, plan, watch):
            pass
    return training


def train(training: Training, plan: TrainingPlan, watch: Watch | None = None) -> Iterator[float]:
    """Train ``training.model`` in place according to `plan`, from its current state; yield each rung that is reached.
    The global random state is seeded in every step, so that a resumed training draws as an uninterrupted one. `watch`
    is called after each step.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
    """
    generator = torch.Generator().manual_seed(plan.seed)
    if training.steps:
        generator.set_state(training.drawn)
    for model in (training.model, training.averaged):
        if model is not None:
            model.to(plan.device)
            if len(plan.samples.inputs.shape) == 3:
                model.to(memory_format=torch.channels_last)
    train_mode(training.model, plan.recipe)
    optimizer, stops = new_optimizer(training, plan), plan.stops
    views = kept_views(training, plan)
    chunks = feature_chunks(training, plan, views) if views else _chunks(training, plan, generator)
    with dropping_out(training.model, plan.policy):
        for chunk in chunks:
            losses = []
            for start in range(0, len(chunk.given), plan.batch_size):
                batch = chunk.part(start, start + plan.batch_size)
                losses += _step(training, plan, optimizer, batch, generator)
                if watch is not None:
                    watch(training.steps, plan.steps)
            training.meter.samples_seen += len(chunk.given)
            training.meter.sample_passes += 0 if chunk.are_features else len(chunk.given)
            if not torch.stack(losses).isfinite().all():
                raise NonFiniteLoss(f"the loss is not finite after {training.steps} of {plan.steps} steps")
            if training.steps in stops:
                training.optimizer = optimizer_state(optimizer)
                training.drawn = generator.get_state()
                yield stops[training.steps]


def _chunks(training: Training, plan: TrainingPlan, generator: torch.Generator) -> Iterator[Chunk]:
    """Augmented samples for the rest of the training, several steps at a time."""
    size, steps, copies = plan.batch_size, plan.steps, plan.policy.copies
    spans, done = spans_of(training, plan, max(1, inputs_at_once(plan.samples.inputs.shape) // size))
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
    training: Training, plan: TrainingPlan, optimizer: Optimizer, batch: Chunk, generator: torch.Generator
) -> list[Tensor]:
    """Take one optimizer step; return the losses of the parts of the batch."""
    seed_all(derive_seed(plan.seed, "step", training.steps), plan.device)
    for group in optimizer.param_groups:
        group["lr"] = group["share"] * learning_rate(plan.recipe, training.steps / plan.steps)
    optimizer.zero_grad(set_to_none=True)
    size, losses = math.ceil(len(batch.given) / plan.parts), []
    for begin in range(0, len(batch.given), size):
        part = batch.part(begin, begin + size)
        with precision(plan.device, plan.recipe.precision):
            loss = _loss(training, plan, part, generator)
        torch.autograd.backward(loss * (len(part.given) / len(batch.given)))
        losses.append(loss.detach())
    if plan.recipe.gradient_bound is not None:
        torch.nn.utils.clip_grad_norm_(training.model.parameters(), plan.recipe.gradient_bound)
    optimizer.step()
    training.steps += 1
    average_weights(training, plan.recipe)
    return losses


def _loss(training: Training, plan: TrainingPlan, part: Chunk, generator: torch.Generator) -> Tensor:
    """The mean loss of a part of a batch; the policy's share of it is attacked."""
    model, task, how, smoothing = training.model, plan.task, plan.policy.adversarial, plan.recipe.label_smoothing
    count = round(how.share * len(part.given)) if how else 0
    given, modality = part.given, get_modality(plan.modality)
    if how is not None and count:
        training.meter.sample_passes += how.steps * count
        if how.kind == "magnitudes":
            own = part.part(0, count)
            assert own.plan is not None
            moved = NetworkInput(attack_magnitudes(model, own.clean, own.plan, own.targets, how, task))
        else:
            moved = attack(model, given.part(0, count), part.targets[:count], how, generator, task, modality)
        if how.loss == "trades":
            training.meter.sample_passes += count
            outputs = outputs_of(model, given.joined(moved), modality).float()
            clean, attacked = outputs[: len(given)], outputs[len(given) :]
            drift = task.divergence(attacked, clean[:count]).sum() / len(given)
            return task.loss(clean, part.targets, smoothing).mean() + how.beta * drift
        given = moved.joined(given.part(count, len(given)))
    network = head_of(model) if part.are_features else model
    assert network is not None
    return task.loss(outputs_of(network, given, modality), part.targets, smoothing).mean()


@contextmanager
def dropping_out(model: nn.Module, policy: Policy) -> Iterator[None]:
    """In the block, apply the policy's dropout before the model's last linear layer, in training mode."""
    share = policy.regularization.dropout if policy.regularization else 0.0
    head = head_of(model)
    if not share or head is None:
        yield
        return

    def drop(layer: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (dropout(given[0], share, layer.training), *given[1:])

    hook = head.register_forward_pre_hook(drop)
    try:
        yield
    finally:
        hook.remove()
