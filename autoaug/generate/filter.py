"""The sample filter, which drops generated samples: is each of its class, is it like real ones at all, is it new?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from autoaug.data.inputs import Inputs, MemoryInputs
from autoaug.data.splits import DataSet
from autoaug.errors import OptionError, typed_line
from autoaug.modalities.base import Modality
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.training.feed import in_order, inputs_at_once
from autoaug.training.inference import clean_batches, outputs_of
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, TrainingPlan
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end
from autoaug.utils.own_code import load_function

#: Called with a stored sample and its class's name; false drops it.
Accept = Callable[[np.ndarray, str], bool]

#: Of real samples that the filter has not seen, these fractions lie beyond its bounds. Wrong labels are the fault that
#: is hard to tell, so that nearly all of what may be lost goes to the first.
_UNLIKE, _TOO_NEAR, _TOO_FAR, _TOO_ROUGH = 0.045, 0.005, 0.004, 0.003
#: What is farther from the training samples than this fraction of the held-out samples' median distance is no copy:
#: where noise puts all samples equally far apart, whatever lacks the noise lies at 0.71 of that (1 / sqrt 2).
_COPY = 0.6
#: Where fewer need be dropped to catch this fraction of wrong labels, fewer are.
_CAUGHT = 0.98


@dataclass(frozen=True, eq=False)
class SampleFilter:
    """A classifier that was trained on the real training samples, and bounds that real samples taught it.

    Attributes:
        modality: of the samples.
        training: the classifier.
        real: the training samples as ``[N, d]``, see `Modality.copy_vectors`.
        classes: their names.
        groups: of the training samples, where they have any.
        confidence: the lowest probability that the classifier may give a sample's own class.
        nearest: the least distance to a training sample: below it, the sample is a copy.
        farthest: the greatest: above it, the sample is like no sample.
        roughest: the greatest roughness, likewise.
        device: of the classifier.
    """

    modality: Modality
    training: Training
    real: np.ndarray
    classes: tuple[str, ...]
    groups: np.ndarray | None
    confidence: float
    nearest: float
    farthest: float
    roughest: float
    device: str

    def judge(self, inputs: np.ndarray, labels: np.ndarray, accept: Accept | None = None) -> np.ndarray:
        """Why each of the stored ``inputs [n, ...]`` of classes ``labels [n]`` is dropped: text ``[n]``, empty where it
        passes.
        """
        own, memory = self.own_probability(inputs, labels), MemoryInputs(inputs)
        distance = nearest_distance(in_parts(memory, self.modality.copy_vectors), self.real)
        rough = in_parts(memory, self.modality.roughness)
        reasons = np.full(len(inputs), "", dtype="U20")
        if accept is not None:
            kept = [accept(sample, self.classes[label]) for sample, label in zip(inputs, labels, strict=True)]
            reasons[~np.array(kept, bool)] = "by the rule"
        reasons[own < self.confidence] = "unlike its class"
        reasons[(distance > self.farthest) | (rough > self.roughest)] = "like no sample"
        reasons[distance < self.nearest] = "a copy"
        return reasons

    def own_probability(self, inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The probability ``[n]`` that the classifier gives each sample's own class."""
        if not len(labels):
            return np.empty(0)
        memory = MemoryInputs(inputs)
        found = class_probabilities(self.training, memory, self.device)
        own: np.ndarray = found[np.arange(len(labels)), labels]
        return own

    def balances(
        self, inputs: np.ndarray, labels: np.ndarray, reasons: np.ndarray
    ) -> dict[str, tuple[list[int], list[int]]]:
        """How many samples each of the ``classes`` has, and each of the ``groups`` where the data have any, before the
        filter and after it.
        """
        found = {"classes": balance(labels, reasons, len(self.classes))}
        if (grouped := self.groups_of(inputs)) is not None:
            found["groups"] = balance(grouped[0], reasons, len(grouped[1]))
        return found

    def groups_of(self, inputs: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]] | None:
        """For each sample the number ``[n]`` of the group of the training sample that it is nearest to, and all groups;
        None where the data have no groups.
        """
        if self.groups is None:
            return None
        names, numbers = np.unique(self.groups, return_inverse=True)
        vectors = in_parts(MemoryInputs(inputs), self.modality.copy_vectors)
        return numbers[nearest(vectors, self.real)[1]], tuple(map(str, names))


def train_filter(data: DataSet, model: str, recipe: Recipe, seed: int, device: str) -> SampleFilter:
    """A filter from real samples: the classifier learns from the training split, the bounds come from the validation
    split, of which about a twentieth would be dropped at most.

    The classifier is trained under the modality's `filter_policy`: without augmentation it is so sure of its errors
    that a bound which real samples pass lets a quarter of wrong labels through.
    """
    modality = get_modality(data.modality)
    plain, policy = recipe.model_copy(update={"label_smoothing": 0.0}), load_policy(modality.filter_policy)
    task = Classification(len(data.classes))
    training = train_to_end(TrainingPlan(policy, model, task, data.train, plain, seed, device, data.modality))
    held, real = data.validation.inputs, in_parts(data.train.inputs, modality.copy_vectors)
    distance = nearest_distance(in_parts(held, modality.copy_vectors), real)
    found = class_probabilities(training, held, device)
    is_own = np.eye(len(data.classes), dtype=bool)[data.validation.labels]
    return SampleFilter(
        modality=modality,
        training=training,
        real=real,
        classes=data.classes,
        groups=data.train.groups,
        confidence=float(min(np.quantile(found[is_own], _UNLIKE), np.quantile(found[~is_own], _CAUGHT))),
        nearest=0.9 * copy_bound(distance),
        farthest=float(np.quantile(distance, 1 - _TOO_FAR)),
        roughest=float(np.quantile(in_parts(held, modality.roughness), 1 - _TOO_ROUGH)) * 1.1,
        device=device,
    )


def copy_bound(distance: np.ndarray) -> float:
    """How near to a training sample a copy lies, where held-out samples are at ``distance [n]`` from the nearest."""
    return float(min(np.quantile(distance, _TOO_NEAR), _COPY * np.median(distance)))


def class_probabilities(training: Training, inputs: Inputs, device: str) -> np.ndarray:
    """The probabilities ``[n, classes]`` that the classifier gives `inputs`, of which there is one at least."""
    batches = (values for _, values in clean_batches(inputs, device, training.modality))
    return torch.cat(
        [outputs_of(training.model, values, device).float().softmax(1).cpu() for values in batches]
    ).numpy()


def in_parts(inputs: Inputs, measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What `measure` gives for stored samples ``[n, ...]``, over all `inputs`, of which some are in memory at once."""
    parts = in_order(np.arange(len(inputs)), inputs_at_once(inputs.shape))
    return np.concatenate([measure(inputs.take(rows)) for rows in parts])


def nearest_distance(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The distance of each vector to the nearest of the others, ``[n]``."""
    return nearest(vectors, others)[0]


def nearest(vectors: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each vector the distance to the nearest of the others, and which that is: ``[n]`` each."""
    known = torch.from_numpy(others)
    found = [torch.cdist(part, known).min(1) for part in torch.split(torch.from_numpy(vectors), 1000)]
    if not found:
        return np.empty(0), np.empty(0, np.int64)
    return torch.cat([f.values for f in found]).numpy(), torch.cat([f.indices for f in found]).numpy()


def balance(of: np.ndarray, reasons: np.ndarray, count: int) -> tuple[list[int], list[int]]:
    """How many samples each of `count` classes or groups has, before the filter and after; ``of [n]`` are numbers."""
    return np.bincount(of, minlength=count).tolist(), np.bincount(of[reasons == ""], minlength=count).tolist()


def load_accept_function(name: str) -> Accept:
    """The user's own accept function, ``module:function``; raises `OptionError` where it cannot be had, or fails."""
    accept = load_function(name, "--accept")

    def guarded(sample: np.ndarray, label: str) -> bool:
        try:
            return bool(accept(sample, label))
        except (Exception, SystemExit) as fault:  # a user's function may raise anything, also to end the program
            raise OptionError(f"--accept {name} failed on a sample of class {label!r}: {typed_line(fault)}") from fault

    return guarded


def count_reasons(reasons: np.ndarray) -> dict[str, int]:
    """How many were dropped for which reason, and how many passed."""
    counts = Counter(reason or "passed" for reason in reasons.tolist())
    return dict(counts.most_common())


def format_counts(counts: dict[str, int]) -> str:
    """What `count_reasons` gives, in words: ``51 passed, 6 a copy``."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
