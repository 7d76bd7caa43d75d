"""One model trained under one policy."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from autoaug.data.inputs import Inputs, MemoryInputs
from autoaug.data.splits import Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.execute import mix_labels
from autoaug.engine.plan import Plan, draw_plan
from autoaug.functional.labels import soft_labels
from autoaug.modalities.image.models import Standardized, build
from autoaug.policy.models import Policy
from autoaug.training.adversarial import attack, attack_magnitudes, divergence
from autoaug.training.device import precision, resident
from autoaug.training.feed import float_batches, in_order, inputs_at_once, shuffled
from autoaug.training.modes import evaluating
from autoaug.training.recipe import Recipe
from autoaug.utils.seeds import derive_seed

_STATISTICS_BYTES = 256 * 2**20
#: The greatest norm of a step's gradient. Without this bound the steps at the highest learning rate throw a short
#: training off: five epochs of 1,000 Fashion-MNIST samples ended at 17 to 71 % over five seeds, with it at 78 to 80 %.
_GRADIENT = 1.0


class NonFiniteLoss(ArithmeticError):
    """The loss became NaN or infinite."""


@dataclass
class Meter:
    """What training has cost so far."""

    augmentation_seconds: float = 0.0
    samples_seen: int = 0
    sample_passes: int = 0


@dataclass
class Training:
    """A training under way: the model as it is now, what it has cost, and what it is continued from.

    Attributes:
        model: in training.
        meter: the cost, since it was begun or continued.
        steps: of the optimizer that have been taken.
        momentum: the optimizer's, a tensor a parameter; empty before the first step.
        drawn: the state of the generator of plans and attacks.
    """

    model: Standardized
    meter: Meter = field(default_factory=Meter)
    steps: int = 0
    momentum: list[Tensor] = field(default_factory=list)
    drawn: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.uint8))


def train(
    training: Training,
    policy: Policy,
    samples: Samples,
    classes: int,
    recipe: Recipe,
    seed: int,
    device: str,
    rungs: Sequence[float] = (1.0,),
    rows: np.ndarray | None = None,
    parts: int = 1,
    synthetic: Samples | None = None,
) -> Iterator[float]:
    """Train ``training.model`` in place, from where it is, yielding each of `rungs` (shares of full length) when it is
    reached; the last one ends it.

    Only `samples` are augmented, all or those at `rows`; the order, the plans and the attacks follow from `seed`. A
    step passes its batch through the model in so many `parts`, whose gradients add up: less memory, the same step but
    for what batch normalization sees. Of `synthetic` samples come those that the policy puts in the place of real ones.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
    """
    generator = torch.Generator().manual_seed(seed)
    if training.steps:
        generator.set_state(training.drawn)
    model = training.model.to(device).to(memory_format=torch.channels_last).train()
    rows = np.arange(len(samples)) if rows is None else rows
    batch_size, steps = recipe.samples_a_step(policy.copies), recipe.steps(len(rows), policy.copies)
    optimizer = _optimizer(training, recipe, policy)
    _drop_out(model, policy, derive_seed(seed, "dropout"))
    stops = {math.ceil(rung * steps): rung for rung in rungs}
    changes = [math.ceil(bound * steps) for bound in policy.bounds()]
    at_once = max(1, inputs_at_once(samples.inputs.shape) // batch_size)
    ends = list(itertools.accumulate(chunk_sizes(steps, at_once, [*stops, *changes])))
    coming = [(begin, end) for begin, end in itertools.pairwise([0, *ends]) if training.steps <= begin < max(stops)]
    order = shuffled(
        rows,
        [(end - begin) * batch_size // policy.copies for begin, end in itertools.pairwise([0, *ends])],
        torch.Generator().manual_seed(derive_seed(seed, "order")),
    )
    order = itertools.islice(order, len(ends) - sum(end > training.steps for end in ends), None)
    policies = [policy.at((begin + 0.5) / steps) for begin, _ in coming]
    feed = _Feed(samples, classes, generator, device, derive_seed(seed, "synthetic"), synthetic)
    for chunk in feed.chunks(training.meter, policies, order):
        losses = []
        for start in range(0, len(chunk.inputs), batch_size):
            batch = chunk.part(start, start + batch_size)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * one_cycle(training.steps / steps)
            optimizer.zero_grad(set_to_none=True)
            size = math.ceil(len(batch.inputs) / parts)
            for begin in range(0, len(batch.inputs), size):
                part = batch.part(begin, begin + size)
                with precision(device):
                    loss = _loss(training, policy, part, recipe.label_smoothing, generator)
                torch.autograd.backward(loss * (len(part.inputs) / len(batch.inputs)))
                losses.append(loss.detach())
            torch.nn.utils.clip_grad_norm_(model.parameters(), _GRADIENT)
            optimizer.step()
            training.steps += 1
        training.meter.samples_seen += len(chunk.inputs)
        training.meter.sample_passes += len(chunk.inputs)
        if not torch.stack(losses).isfinite().all():
            raise NonFiniteLoss(f"the loss is not finite after {training.steps} of {steps} steps")
        if training.steps in stops:
            training.momentum = [_momentum(optimizer, p) for p in model.parameters()]
            training.drawn = generator.get_state()
            yield stops[training.steps]


def _optimizer(training: Training, recipe: Recipe, policy: Policy) -> torch.optim.SGD:
    """SGD on the model's parameters, with the momentum that `training` has gathered."""
    parameters, decay = list(training.model.parameters()), recipe.weight_decay
    if policy.regularization and policy.regularization.weight_decay is not None:
        decay = policy.regularization.weight_decay
    optimizer = torch.optim.SGD(parameters, lr=recipe.learning_rate, momentum=0.9, nesterov=True, weight_decay=decay)
    for parameter, momentum in zip(parameters, training.momentum, strict=False):
        optimizer.state[parameter]["momentum_buffer"] = momentum.to(parameter)
    return optimizer


def _momentum(optimizer: torch.optim.SGD, parameter: Tensor) -> Tensor:
    """What the optimizer has gathered for a parameter: nothing where it takes no part in the training."""
    gathered: Tensor = optimizer.state[parameter].get("momentum_buffer", torch.zeros_like(parameter))
    return gathered


def one_cycle(done: float) -> float:
    """Share of the highest learning rate when `done` of the training is over: up from a twenty-fifth in the first
    quarter, then down to 0, both along a cosine. Unlike PyTorch's own it takes trainings of any number of steps.
    """
    if done < 0.25:
        return 0.04 + 0.96 * (1 - math.cos(4 * math.pi * done)) / 2
    return (1 + math.cos(math.pi * (done - 0.25) / 0.75)) / 2


def chunk_sizes(steps: int, at_once: int, stops: Iterable[int]) -> list[int]:
    """`steps` in chunks of at most `at_once`, with a boundary at each of `stops`."""
    bounds = sorted({*range(0, steps, at_once), *stops, steps})
    return [after - before for before, after in itertools.pairwise(bounds)]


def _drop_out(model: Standardized, policy: Policy, seed: int) -> None:
    """Drop a share of the features before the last linear layer, in training, as the policy asks."""
    share = policy.regularization.dropout if policy.regularization else 0.0
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    if not share or not linear:
        return

    generator = torch.Generator().manual_seed(seed)

    def drop(layer: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not layer.training:
            return given
        kept = torch.rand(given[0].shape, generator=generator).to(given[0].device) >= share
        return (given[0] * kept / (1 - share), *given[1:])

    linear[-1].register_forward_pre_hook(drop)


@dataclass
class _Chunk:
    """Augmented samples with soft labels, and what they were made of."""

    inputs: Tensor
    targets: Tensor
    clean: Tensor
    plan: Plan

    def part(self, begin: int, end: int) -> _Chunk:
        """Some of them; a plan of policies that mix is not cut."""
        rows = slice(begin, end)
        plan = self.plan if self.plan.mix is not None else self.plan[rows]
        return _Chunk(self.inputs[rows], self.targets[rows], self.clean[rows], plan)


@dataclass
class _Feed:
    """Makes augmented samples and soft labels for several steps at once."""

    samples: Samples
    classes: int
    generator: torch.Generator
    device: str
    seed: int
    synthetic: Samples | None

    def chunks(self, meter: Meter, policies: Sequence[Policy], order: Iterator[np.ndarray]) -> Iterator[_Chunk]:
        """A chunk for each of `policies`, by that one: K copies of a sample stay within one step."""
        ahead, behind = itertools.tee(itertools.islice(order, len(policies)))
        chunks = zip(policies, behind, float_batches(self.samples.inputs, ahead, self.device), strict=True)
        for number, (policy, indices, real) in enumerate(chunks):
            begun = time.perf_counter()
            clean, kinds = self._with_synthetic(policy, real, self.samples.labels[indices], number)
            clean = clean.repeat_interleave(policy.copies, 0)
            labels = torch.from_numpy(kinds).repeat_interleave(policy.copies)
            plan = draw_plan(policy, len(clean), self.generator)
            augmented = apply_plan(plan, clean, check=False)
            targets = mix_labels(plan, soft_labels(labels, self.classes), clean)
            meter.augmentation_seconds += time.perf_counter() - begun
            yield _Chunk(augmented, targets.to(self.device), clean, plan)

    def _with_synthetic(
        self, policy: Policy, inputs: Tensor, labels: np.ndarray, number: int
    ) -> tuple[Tensor, np.ndarray]:
        """Generated samples in the place of the policy's share of the samples, drawn one by one."""
        if self.synthetic is None or policy.synthetic is None or not len(self.synthetic):
            return inputs, labels
        draw = np.random.default_rng([self.seed, number])
        places = np.flatnonzero(draw.random(len(labels)) < policy.synthetic.share)
        rows = draw.integers(0, len(self.synthetic), len(places))
        made = next(float_batches(self.synthetic.inputs, iter([rows]), self.device))
        changed = labels.copy()
        changed[places] = self.synthetic.labels[rows]
        return inputs.index_copy(0, torch.from_numpy(places).to(inputs.device), made), changed


def _loss(training: Training, policy: Policy, part: _Chunk, smoothing: float, generator: torch.Generator) -> Tensor:
    """The loss of a part of a batch, some of it attacked as the policy asks."""
    model, how = training.model, policy.adversarial
    count = round(how.share * len(part.inputs)) if how else 0
    batch, clean = part.inputs, part.inputs[:count]
    if how is not None and count:
        training.meter.sample_passes += how.steps * count
        if how.kind == "magnitudes":
            own = part.part(0, count)
            moved = attack_magnitudes(model, own.clean, own.plan, own.targets, how)
        else:
            moved = attack(model, clean, part.targets[:count], how, generator)
        if how.loss == "trades":
            training.meter.sample_passes += count
            logits = model(torch.cat([batch, moved]).contiguous(memory_format=torch.channels_last)).float()
            drift = divergence(logits[:count].log_softmax(1), logits[len(batch) :]) / len(batch)
            return cross_entropy(logits[: len(batch)], part.targets, label_smoothing=smoothing) + how.beta * drift
        batch = torch.cat([moved, batch[count:]])
    logits = model(batch.contiguous(memory_format=torch.channels_last))
    return cross_entropy(logits, part.targets, label_smoothing=smoothing)


def new_training(name: str, samples: Samples, classes: int, seed: int) -> Training:
    """A fresh model, standardized by the mean and deviation of the training samples."""
    if samples not in _statistics:
        _statistics[samples] = channel_statistics(samples.inputs)
    mean, std = _statistics[samples]
    return Training(build(name, samples.inputs.shape, classes, mean, std, seed))


#: Per channel mean and deviation of the samples that this process trains on, worked out once.
_statistics: WeakKeyDictionary[Samples, tuple[Tensor, Tensor]] = WeakKeyDictionary()


def channel_statistics(inputs: Inputs) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, ``[C]`` each, over at most 2,048 samples spread over the set."""
    at_most = min(2048, max(64, _STATISTICS_BYTES // (4 * math.prod(inputs.shape))), len(inputs))
    rows = np.linspace(0, len(inputs) - 1, at_most).astype(np.int64)
    sample = next(float_batches(inputs, iter([rows]), "cpu"))
    return sample.mean((0, 2, 3)), sample.std((0, 2, 3))


@torch.no_grad()
def predict(model: Standardized, inputs: Inputs, device: str, rows: np.ndarray | None = None) -> np.ndarray:
    """The most likely class of every sample, or of those at `rows`, as uint16 ``[n]``; they are not augmented."""
    rows = np.arange(len(inputs)) if rows is None else rows
    batches = float_batches(inputs, in_order(rows, max(1, inputs_at_once(inputs.shape) // 2)), device)
    with evaluating(model), precision(device):
        found = [model(batch.contiguous(memory_format=torch.channels_last)).argmax(1).cpu() for batch in batches]
    return torch.cat(found).numpy().astype(np.uint16)


def warm_up(samples: Samples, device: str) -> None:
    """Bring what every trial needs to the device, once a worker."""
    if isinstance(samples.inputs, MemoryInputs):
        resident(samples.inputs, device)
