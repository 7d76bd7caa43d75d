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

from autoaug.apply import apply_plan
from autoaug.data.images import Images, MemoryImages
from autoaug.data.splits import Samples
from autoaug.engine import mix_labels
from autoaug.modalities.image.models import Standardised, build_model
from autoaug.plan import draw_plan
from autoaug.policy import Policy
from autoaug.seeds import derive_seed
from autoaug.training.adversarial import attack
from autoaug.training.device import precision, resident
from autoaug.training.feed import float_batches, images_at_once, in_order, shuffled
from autoaug.training.recipe import Recipe
from autoaug.transform import soft_labels

_STATISTICS_BYTES = 256 * 2**20


class NonFiniteLoss(ArithmeticError):
    """The loss became NaN or infinite."""


@dataclass
class Meter:
    """What training has cost so far."""

    augmentation_seconds: float = 0.0
    samples_seen: int = 0
    passes: int = 0


@dataclass
class Training:
    """A training under way: the model as it is now, what it has cost, and what it is continued from.

    Attributes:
        model: in training.
        meter: the cost, since it was begun or continued.
        steps: of the optimiser that have been taken.
        momentum: the optimiser's, a tensor a parameter; empty before the first step.
        drawn: the state of the generator of plans and attacks.
    """

    model: Standardised
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
) -> Iterator[float]:
    """Train ``training.model`` in place, from where it is, yielding each of `rungs` (shares of full length) when it is
    reached; the last one ends it.

    Only `samples` are augmented, all or those at `rows`; the order, the plans and the attacks follow from `seed`. A
    step passes its batch through the model in so many `parts`, whose gradients add up: less memory, the same step but
    for what batch normalisation sees.

    Raises:
        NonFiniteLoss: the loss became NaN or infinite.
    """
    generator = torch.Generator().manual_seed(seed)
    if training.steps:
        generator.set_state(training.drawn)
    model = training.model.to(device).to(memory_format=torch.channels_last).train()
    rows = np.arange(len(samples)) if rows is None else rows
    batch_size, steps = recipe.samples_a_step(policy.copies), recipe.steps(len(rows), policy.copies)
    optimizer = _optimizer(training, recipe)
    stops = {math.ceil(rung * steps): rung for rung in rungs}
    changes = [math.ceil(bound * steps) for bound in policy.bounds()]
    at_once = max(1, images_at_once(samples.images.shape) // batch_size)
    ends = list(itertools.accumulate(chunk_sizes(steps, at_once, [*stops, *changes])))
    coming = [(begin, end) for begin, end in itertools.pairwise([0, *ends]) if training.steps <= begin < max(stops)]
    order = shuffled(
        rows,
        [(end - begin) * batch_size // policy.copies for begin, end in itertools.pairwise([0, *ends])],
        torch.Generator().manual_seed(derive_seed(seed, "order")),
    )
    order = itertools.islice(order, len(ends) - sum(end > training.steps for end in ends), None)
    policies = [policy.at((begin + 0.5) / steps) for begin, _ in coming]
    for images, targets in _augmented(training.meter, policies, samples, classes, order, generator, device):
        losses = []
        for clean, target in zip(torch.split(images, batch_size), torch.split(targets, batch_size), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * one_cycle(training.steps / steps)
            optimizer.zero_grad(set_to_none=True)
            for part, part_target in zip(clean.chunk(parts), target.chunk(parts), strict=True):
                with precision(device):
                    batch = _with_adversarial(training, policy, part, part_target, generator)
                    logits = model(batch.contiguous(memory_format=torch.channels_last))
                    loss = cross_entropy(logits, part_target, label_smoothing=recipe.label_smoothing)
                torch.autograd.backward(loss * (len(part) / len(clean)))
                losses.append(loss.detach())
            optimizer.step()
            training.steps += 1
        training.meter.samples_seen += len(images)
        training.meter.passes += len(images)
        if not torch.stack(losses).isfinite().all():
            raise NonFiniteLoss(f"the loss is not finite after {training.steps} of {steps} steps")
        if training.steps in stops:
            training.momentum = [_momentum(optimizer, p) for p in model.parameters()]
            training.drawn = generator.get_state()
            yield stops[training.steps]


def _optimizer(training: Training, recipe: Recipe) -> torch.optim.SGD:
    """SGD on the model's parameters, with the momentum that `training` has gathered."""
    parameters = list(training.model.parameters())
    optimizer = torch.optim.SGD(
        parameters, lr=recipe.learning_rate, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
    )
    for parameter, momentum in zip(parameters, training.momentum, strict=False):
        optimizer.state[parameter]["momentum_buffer"] = momentum.to(parameter)
    return optimizer


def _momentum(optimizer: torch.optim.SGD, parameter: Tensor) -> Tensor:
    """What the optimiser has gathered for a parameter: nothing where it takes no part in the training."""
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


def _augmented(
    meter: Meter,
    policies: Sequence[Policy],
    samples: Samples,
    classes: int,
    order: Iterator[np.ndarray],
    generator: torch.Generator,
    device: str,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Augmented images and soft labels for a chunk of steps at once, each by its own of `policies`: K copies of an
    image stay within one step.
    """
    ahead, behind = itertools.tee(itertools.islice(order, len(policies)))
    chunks = zip(policies, behind, float_batches(samples.images, ahead, device), strict=True)
    for policy, indices, clean in chunks:
        begun = time.perf_counter()
        clean = clean.repeat_interleave(policy.copies, 0)
        labels = torch.from_numpy(samples.labels[indices]).repeat_interleave(policy.copies)
        plan = draw_plan(policy, len(clean), generator)
        augmented = apply_plan(plan, clean, check=False)
        targets = mix_labels(plan, soft_labels(labels, classes), *clean.shape[-2:])
        meter.augmentation_seconds += time.perf_counter() - begun
        yield augmented, targets.to(device)


def _with_adversarial(
    training: Training, policy: Policy, batch: Tensor, target: Tensor, generator: torch.Generator
) -> Tensor:
    how = policy.adversarial
    count = round(how.share * len(batch)) if how else 0
    if how is None or count == 0:
        return batch
    training.meter.passes += how.steps * count
    return torch.cat([attack(training.model, batch[:count], target[:count], how, generator), batch[count:]])


def new_training(name: str, samples: Samples, classes: int, seed: int) -> Training:
    """A fresh model, standardised by the mean and deviation of the training images."""
    if samples not in _statistics:
        _statistics[samples] = channel_statistics(samples.images)
    mean, std = _statistics[samples]
    return Training(build_model(name, samples.images.shape, classes, mean, std, seed))


#: Per channel mean and deviation of the samples that this process trains on, worked out once.
_statistics: WeakKeyDictionary[Samples, tuple[Tensor, Tensor]] = WeakKeyDictionary()


def channel_statistics(images: Images) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, ``[C]`` each, over at most 2,048 images spread over the set."""
    at_most = min(2048, max(64, _STATISTICS_BYTES // (4 * math.prod(images.shape))), len(images))
    rows = np.linspace(0, len(images) - 1, at_most).astype(np.int64)
    sample = next(float_batches(images, iter([rows]), "cpu"))
    return sample.mean((0, 2, 3)), sample.std((0, 2, 3))


@torch.no_grad()
def predict(model: Standardised, images: Images, device: str, rows: np.ndarray | None = None) -> np.ndarray:
    """The most likely class of every image, or of those at `rows`, as uint16 ``[n]``; they are not augmented."""
    model.eval()
    found = []
    size = max(1, images_at_once(images.shape) // 2)
    rows = np.arange(len(images)) if rows is None else rows
    for batch in float_batches(images, in_order(rows, size), device):
        with precision(device):
            found.append(model(batch.contiguous(memory_format=torch.channels_last)).argmax(1).cpu())
    model.train()
    return torch.cat(found).numpy().astype(np.uint16)


def warm_up(samples: Samples, device: str) -> None:
    """Bring what every trial needs to the device, once a worker."""
    if isinstance(samples.images, MemoryImages):
        resident(samples.images, device)
