"""Train the head of a frozen backbone on features: each sample is augmented and passed through the backbone a few
times, and the features are kept in memory for all epochs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from autoaug.data.splits import Samples
from autoaug.errors import OptionError
from autoaug.modalities.kinds import in_embedding
from autoaug.modalities.registry import get_modality
from autoaug.training.chunks import Chunk, augmented_chunks, spans_of
from autoaug.training.device import precision, with_layout
from autoaug.training.embedding import NetworkInput
from autoaug.training.feed import float_batches, in_order, inputs_at_once, shuffled
from autoaug.training.inference import scored
from autoaug.training.layers import evaluating, features_of, head_of
from autoaug.training.state import Training, TrainingPlan
from autoaug.training.tasks import Task
from autoaug.utils.seeds import derive_seed
from autoaug.utils.weights import weights_digest

#: The most bytes of features that a training keeps, and the most of clean samples that a process keeps for each split.
MOST_BYTES = 2**28
#: The most steps in a chunk: after each, the loss is checked.
_STEPS = 32


def kept_views(training: Training, plan: TrainingPlan) -> int:
    """How many views of each sample the training keeps as features: those of the recipe, as far as they fit into
    `MOST_BYTES` and are needed. 0 if each step passes its samples through the whole network: where the recipe says so,
    where a single view does not fit, and for policies that change during the training, attack the network, or leave
    mixing to its embedding.
    """
    policy, head = plan.policy, head_of(training.model)
    changes = (
        policy.adversarial is not None or policy.schedule or in_embedding(policy.kinds(), get_modality(plan.modality))
    )
    if plan.recipe.views is None or head is None or changes:
        return 0
    one = plan.taken[:1]  # a head may get several vectors of a sample, such as those of frames
    values = next(float_batches(plan.samples.inputs, iter([one]), plan.device, plan.modality))
    targets = plan.task.targets(torch.from_numpy(plan.samples.labels[one]))
    each = 4 * len(plan.taken) * policy.copies * (_features(training.model, values, plan).numel() + targets.numel())
    passes = math.ceil(plan.steps * (plan.batch_size // policy.copies) / len(plan.taken))
    return min(plan.recipe.views, MOST_BYTES // each, passes)


@dataclass(frozen=True)
class _Views:
    """Features ``[views, n, copies, d]`` and targets ``[views, n, copies, outputs]`` of the samples of a plan."""

    features: Tensor
    targets: Tensor


def feature_chunks(training: Training, plan: TrainingPlan, count: int) -> Iterator[Chunk]:
    """Chunks of features for the rest of the training, made of `count` views of each sample. The passes over the
    samples take the views in turn.
    """
    views, size, copies = _views(training, plan, count), plan.batch_size, plan.policy.copies
    spans, done = spans_of(training, plan, _STEPS)
    batches = shuffled(
        np.arange(len(plan.taken)),
        [(end - begin) * size // copies for begin, end in spans],
        torch.Generator().manual_seed(derive_seed(plan.seed, "order")),
        plan.strata,
    )
    seen = 0
    for number, (batch, (begin, _)) in enumerate(zip(batches, spans, strict=True)):
        passes = (seen + np.arange(len(batch))) // len(plan.taken)
        seen += len(batch)
        if number < done or begin >= max(plan.stops):
            continue
        at = torch.from_numpy(passes % count).to(plan.device), torch.from_numpy(batch).to(plan.device)
        features, targets = views.features[at].flatten(0, 1), views.targets[at].flatten(0, 1)
        yield Chunk(NetworkInput(features), targets, features, None, are_features=True)


def _views(training: Training, plan: TrainingPlan, count: int) -> _Views:
    """Augment each sample `count` times, and compute the features. What is drawn depends only on the seed."""
    generator = torch.Generator().manual_seed(derive_seed(plan.seed, "views"))
    places, copies = np.arange(len(plan.taken)), plan.policy.copies
    at_once = max(1, inputs_at_once(plan.samples.inputs.shape) // copies)
    # Shuffled, so that samples of all classes are mixed with one another.
    orders = [places[torch.randperm(len(places), generator=generator).numpy()] for _ in range(count)]
    batches = [batch for order in orders for batch in in_order(order, at_once)]
    rows = (plan.taken[batch] for batch in batches)
    policies = [plan.policy] * len(batches)
    features: Tensor | None = None
    targets = torch.empty(0)
    done = 0
    chunks = augmented_chunks(training, plan, policies, rows, generator, first=0)
    for batch, chunk in zip(batches, chunks, strict=True):
        view = done // len(places)
        done += len(batch)
        found = _features(training.model, chunk.given.values, plan)
        if features is None:
            features = found.new_empty(count, len(places), copies, *found.shape[1:])
            targets = chunk.targets.new_empty(count, len(places), copies, *chunk.targets.shape[1:])
        where = torch.from_numpy(batch).to(plan.device)
        features[view, where] = found.reshape(len(batch), copies, *found.shape[1:])
        targets[view, where] = chunk.targets.reshape(len(batch), copies, *chunk.targets.shape[1:])
        training.meter.sample_passes += len(chunk.given)
    assert features is not None
    return _Views(features, targets)


@torch.no_grad()
def _features(model: nn.Module, values: Tensor, plan: TrainingPlan) -> Tensor:
    with evaluating(model), precision(plan.device, plan.recipe.precision):
        return features_of(model, with_layout(values))[0].float()


@torch.no_grad()
def check_probe(model: nn.Module, values: Tensor) -> None:
    """Raise `OptionError` if the outputs of `model` for ``values [n, …]`` are not those of its last linear layer."""
    head = head_of(model)
    if head is None:
        raise OptionError("--recipe probe needs a network that ends in a linear layer; use --recipe finetune")
    with evaluating(model):
        features, outputs = features_of(model, values)
        if outputs.shape != head(features).shape or not torch.allclose(outputs, head(features), atol=1e-4):
            raise OptionError(
                "--recipe probe: the network computes more after its last linear layer; use --recipe finetune"
            )


#: The features of clean samples by the digest of the backbone, with the rows that are known so far.
_clean: WeakKeyDictionary[Samples, tuple[str, Tensor, np.ndarray]] = WeakKeyDictionary()


@torch.no_grad()
def predict_from_features(
    training: Training, task: Task, samples: Samples, rows: np.ndarray | None, device: str
) -> np.ndarray | None:
    """As `autoaug.training.inference.predict`, from features that this process computes once for each sample and frozen
    backbone; None if they would take more than `MOST_BYTES`.
    """
    model = training.result
    head = head_of(model)
    if head is None:
        return None
    own = {id(parameter) for parameter in head.parameters()}
    state = model.state_dict(keep_vars=True)
    digest = weights_digest({name: tensor for name, tensor in state.items() if id(tensor) not in own})
    rows = np.arange(len(samples)) if rows is None else rows
    known = _clean.get(samples)
    if known is None or known[0] != digest:
        known = digest, torch.empty(0), np.zeros(len(samples), bool)
    _, features, has = known
    missing = rows[~has[rows]]
    batches = list(in_order(missing, max(1, inputs_at_once(samples.inputs.shape) // 2)))
    for batch, values in zip(
        batches, float_batches(samples.inputs, iter(batches), device, training.modality), strict=True
    ):
        with evaluating(model), precision(device):
            found = features_of(model, with_layout(values))[0].float().cpu()
        if not len(features):
            if 4 * len(samples) * found[0].numel() > MOST_BYTES:
                return None
            features = found.new_empty(len(samples), *found.shape[1:])
        features[torch.from_numpy(batch)] = found
    has[missing] = True
    _clean[samples] = digest, features, has
    with evaluating(model), precision(device):
        return scored(task, head(features[torch.from_numpy(rows)].to(device)), samples.labels[rows])
