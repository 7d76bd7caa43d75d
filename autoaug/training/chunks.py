"""Augmented samples with their targets, made for several training steps at once."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.execute import mix_labels, weighted
from autoaug.engine.plan import Plan, draw_plan, mixing_of
from autoaug.engine.sending import sent_together
from autoaug.functional.tensors import sent
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Policy
from autoaug.training.device import finish
from autoaug.training.embedding import NetworkInput
from autoaug.training.feed import float_batches
from autoaug.training.state import Training, TrainingPlan
from autoaug.training.transcription import Transcription
from autoaug.utils.seeds import derive_seed


@dataclass(frozen=True)
class Chunk:
    """Augmented samples for the network with their targets, the original samples, and the plan; or, with
    `are_features`, the inputs of the model's head, with no plan.
    """

    given: NetworkInput
    targets: Tensor
    clean: Tensor
    plan: Plan | None
    are_features: bool = False

    def part(self, begin: int, end: int) -> Chunk:
        """The samples from `begin` to `end`; a plan that mixes samples is kept whole."""
        rows = slice(begin, end)
        plan = self.plan if self.plan is None or self.plan.mix is not None else self.plan[rows]
        return Chunk(self.given.part(begin, end), self.targets[rows], self.clean[rows], plan, self.are_features)


def spans_of(training: Training, plan: TrainingPlan, at_once: int) -> tuple[list[tuple[int, int]], int]:
    """The first step and the end of each chunk of the whole training, of at most `at_once` steps, and the number of
    chunks that are done. A chunk ends where the training pauses or the policy changes.
    """
    changes = [math.ceil(bound * plan.steps) for bound in plan.policy.bounds()]
    ends = [0, *itertools.accumulate(chunk_sizes(plan.steps, at_once, [*plan.stops, *changes]))]
    spans = list(itertools.pairwise(ends))
    return spans, sum(end <= training.steps for _, end in spans)


def chunk_sizes(steps: int, at_once: int, stops: Iterable[int]) -> list[int]:
    """Divide `steps` into chunks of at most `at_once`, with a boundary at each of `stops`."""
    bounds = sorted({*range(0, steps, at_once), *stops, steps})
    return [after - before for before, after in itertools.pairwise(bounds)]


def augmented_chunks(
    training: Training,
    plan: TrainingPlan,
    policies: Sequence[Policy],
    order: Iterator[np.ndarray],
    generator: torch.Generator,
    first: int,
) -> Iterator[Chunk]:
    """Yield a chunk for each of `policies`, made with that policy from the samples at the next rows of `order`. The K
    copies of a sample stay in one step. `first` is the number of the first chunk in the whole training. The cost is
    added to ``training.meter``.
    """
    ahead, behind = itertools.tee(itertools.islice(order, len(policies)))
    batches = float_batches(plan.samples.inputs, ahead, plan.device, plan.modality)
    for number, (policy, indices, real) in enumerate(zip(policies, behind, batches, strict=True), start=first):
        finish(plan.device)
        begun = time.perf_counter()
        clean, labels = _with_synthetic(plan, policy, real, plan.samples.labels[indices], number)
        clean = clean.repeat_interleave(policy.copies, 0)
        targets = plan.task.targets(torch.from_numpy(labels).repeat_interleave(policy.copies, 0))
        drawn = draw_plan(policy, len(clean), generator, plan.modality)
        given = _given(drawn, clean)
        mixed = plan.task.mixed if isinstance(plan.task, Transcription) else weighted
        targets = sent(mix_labels(drawn, targets, clean, mixed), clean.device)
        finish(plan.device)
        training.meter.augmentation_seconds += time.perf_counter() - begun
        yield Chunk(given, targets, clean, drawn)


def _given(plan: Plan, clean: Tensor) -> NetworkInput:
    """The augmented samples, and what is left to the network's embedding to mix: the partners of the samples, augmented
    but not mixed themselves, and the own weights; nothing if the plan leaves nothing to it.
    """
    modality, mix = get_modality(plan.modality), plan.mix
    if mix is None or not modality.in_embedding:
        return NetworkInput(apply_plan(plan, clean, check=False))
    kinds = mixing_of(plan.modality).kinds
    modes = torch.tensor([1 + kinds.index(kind) for kind in modality.in_embedding if kind in kinds])
    here = torch.isin(mix.mode, modes)
    if not here.any():
        return NetworkInput(apply_plan(plan, clean, check=False))
    unmixed = apply_plan(replace(plan, mix=None), clean, check=False)
    others = (mix.mode > 0) & ~here
    values = apply_plan(plan, clean, check=False) if others.any() else unmixed
    partner, weight = sent_together([mix.partner, torch.where(here, mix.weight, 1.0)], clean.device)
    return NetworkInput(values, unmixed[partner], weight)


def _with_synthetic(
    plan: TrainingPlan, policy: Policy, inputs: Tensor, labels: np.ndarray, number: int
) -> tuple[Tensor, np.ndarray]:
    """Replace the policy's share of the samples by generated ones; each sample is drawn independently."""
    synthetic = plan.synthetic
    if synthetic is None or policy.synthetic is None or not len(synthetic):
        return inputs, labels
    draw = np.random.default_rng([derive_seed(plan.seed, "synthetic"), number])
    places = np.flatnonzero(draw.random(len(labels)) < policy.synthetic.share)
    rows = draw.integers(0, len(synthetic), len(places))
    made = next(float_batches(synthetic.inputs, iter([rows]), plan.device, plan.modality))
    changed = labels.copy()
    changed[places] = synthetic.labels[rows]
    return inputs.index_copy(0, sent(torch.from_numpy(places), inputs.device), made), changed
