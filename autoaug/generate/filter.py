"""The sample filter, which drops generated samples that are unlike their class, unlike real samples, or copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from autoaug.data.inputs import Inputs, MemoryInputs
from autoaug.data.splits import DataSet, Samples
from autoaug.errors import OptionError, typed_line
from autoaug.modalities.base import Modality
from autoaug.modalities.networks import Start
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.training.feed import in_order, inputs_at_once
from autoaug.training.inference import predict
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, TrainingPlan
from autoaug.training.tasks import Classification
from autoaug.training.train import Watch, train_to_end
from autoaug.utils.own_code import load_function

#: Called with a stored sample and the name of its class; returns False to drop the sample.
Accept = Callable[[np.ndarray, str], bool]

#: The fractions of unseen real samples that each bound drops. Wrong labels are hard to detect, so nearly all of the
#: acceptable loss is spent on the first bound.
_UNLIKE, _TOO_NEAR, _TOO_FAR, _TOO_ROUGH = 0.045, 0.005, 0.004, 0.003
#: A sample farther from the training samples than this fraction of the held-out samples' median distance is not a copy.
#: If noise puts all samples at equal distances, a sample without the noise lies at 0.71 (1 / sqrt 2) of that distance.
_COPY = 0.6
#: Fewer samples are dropped if that is enough to catch this fraction of wrong labels.
_CAUGHT = 0.98


@dataclass(frozen=True, eq=False)
class SampleFilter:
    """A classifier trained on the real training samples, with bounds derived from real samples.

    Attributes:
        modality: the modality of the samples.
        training: the classifier.
        real: the training samples as vectors ``[N, d]``; see `Modality.copy_vectors`.
        classes: the class names.
        groups: the groups of the training samples, if they have any.
        confidence: the lowest allowed probability of a sample's own class.
        nearest: the lowest allowed distance to a training sample; a nearer sample is a copy.
        farthest: the highest allowed distance; a sample farther away is unlike all real ones.
        roughest: the highest allowed roughness; a rougher sample is unlike all real ones.
        device: the device of the classifier.
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
        """Why each of the stored ``inputs [n, ...]`` of classes ``labels [n]`` is dropped: text ``[n]``, empty if it
        passes.
        """
        own, memory = self.own_probability(inputs, labels), MemoryInputs(inputs)
        distance = nearest_distance(in_parts(memory, self.modality.copy_vectors), self.real)
        rough = in_parts(memory, self.modality.roughness)
        reasons = np.full(len(inputs), "", dtype="U30")
        if accept is not None:
            kept = [accept(sample, self.classes[label]) for sample, label in zip(inputs, labels, strict=True)]
            reasons[~np.array(kept, bool)] = "by the rule"
        reasons[own < self.confidence] = "unlike its class"
        reasons[(distance > self.farthest) | (rough > self.roughest)] = "unlike any real sample"
        reasons[distance < self.nearest] = "a copy"
        return reasons

    def own_probability(self, inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The predicted probability ``[n]`` of each sample's own class."""
        if not len(labels):
            return np.empty(0)
        task, samples = Classification(len(self.classes)), Samples(MemoryInputs(inputs), labels)
        probabilities = predict(self.training.result, task, samples, self.device, self.training.modality)
        own: np.ndarray = probabilities[np.arange(len(labels)), labels]
        return own

    def balances(
        self, inputs: np.ndarray, labels: np.ndarray, reasons: np.ndarray
    ) -> dict[str, tuple[list[int], list[int]]]:
        """The number of samples in each of the ``classes``, and in each of the ``groups`` if the data have any, before
        and after the filter.
        """
        counts = {"classes": balance(labels, reasons, len(self.classes))}
        if (grouped := self.groups_of(inputs)) is not None:
            counts["groups"] = balance(grouped[0], reasons, len(grouped[1]))
        return counts

    def groups_of(self, inputs: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]] | None:
        """The group index ``[n]`` of the training sample nearest to each sample, and the names of all groups; None if
        the data have no groups.
        """
        if self.groups is None:
            return None
        names, numbers = np.unique(self.groups, return_inverse=True)
        vectors = in_parts(MemoryInputs(inputs), self.modality.copy_vectors)
        return numbers[nearest(vectors, self.real)[1]], tuple(map(str, names))


def train_filter(
    data: DataSet,
    model: str,
    recipe: Recipe,
    seed: int,
    device: str,
    start: Start | None = None,
    watch: Watch | None = None,
) -> SampleFilter:
    """Train a filter on real samples: the classifier on the training split, the bounds on the validation split, of
    which the filter would drop at most about one in twenty.

    The classifier is trained with the modality's `filter_policy`. Without augmentation, it is so confident in its
    errors that a bound that real samples pass lets a quarter of wrong labels through. `watch` follows its steps.
    """
    modality = get_modality(data.modality)
    plain, policy = recipe.model_copy(update={"label_smoothing": 0.0}), load_policy(modality.filter_policy)
    task = Classification(len(data.classes))
    plan = TrainingPlan(policy, model, task, data.train, plain, seed, device, data.modality, start=start)
    training = train_to_end(plan, watch=watch)
    held, real = data.validation.inputs, in_parts(data.train.inputs, modality.copy_vectors)
    distance = nearest_distance(in_parts(held, modality.copy_vectors), real)
    predicted = predict(training.result, task, data.validation, device, data.modality)
    is_own = np.eye(len(data.classes), dtype=bool)[data.validation.labels]
    return SampleFilter(
        modality=modality,
        training=training,
        real=real,
        classes=data.classes,
        groups=data.train.groups,
        confidence=float(min(np.quantile(predicted[is_own], _UNLIKE), np.quantile(predicted[~is_own], _CAUGHT))),
        nearest=0.9 * copy_bound(distance),
        farthest=float(np.quantile(distance, 1 - _TOO_FAR)),
        roughest=float(np.quantile(in_parts(held, modality.roughness), 1 - _TOO_ROUGH)) * 1.1,
        device=device,
    )


def copy_bound(distance: np.ndarray) -> float:
    """The distance below which a sample is a copy; ``distance [n]`` is from held-out samples to the nearest others."""
    return float(min(np.quantile(distance, _TOO_NEAR), _COPY * np.median(distance)))


def in_parts(inputs: Inputs, measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply `measure` to stored samples ``[n, ...]``, to all `inputs` in batches, so that not all are in memory."""
    parts = in_order(np.arange(len(inputs)), inputs_at_once(inputs.shape))
    return np.concatenate([measure(inputs.take(rows)) for rows in parts])


def nearest_distance(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The distance of each vector to the nearest of the others, ``[n]``."""
    return nearest(vectors, others)[0]


def nearest(vectors: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each vector, the distance to the nearest of the others and the index of that one, ``[n]`` each."""
    known = torch.from_numpy(others)
    minima = [torch.cdist(part, known).min(1) for part in torch.split(torch.from_numpy(vectors), 1000)]
    if not minima:
        return np.empty(0), np.empty(0, np.int64)
    return torch.cat([m.values for m in minima]).numpy(), torch.cat([m.indices for m in minima]).numpy()


def balance(of: np.ndarray, reasons: np.ndarray, count: int) -> tuple[list[int], list[int]]:
    """The sizes of `count` classes or groups before and after the filter; ``of [n]`` are the samples' indices."""
    return np.bincount(of, minlength=count).tolist(), np.bincount(of[reasons == ""], minlength=count).tolist()


def load_accept_function(name: str) -> Accept:
    """Load the user's accept function, ``module:function``; raises `OptionError` if it cannot be loaded, or fails."""
    accept = load_function(name, "--accept")

    def guarded(sample: np.ndarray, label: str) -> bool:
        try:
            return bool(accept(sample, label))
        except (Exception, SystemExit) as fault:  # a user's function may raise anything, or call sys.exit
            raise OptionError(f"--accept {name} failed on a sample of class {label!r}: {typed_line(fault)}") from fault

    return guarded


def count_reasons(reasons: np.ndarray) -> dict[str, int]:
    """The number of samples dropped for each reason, and the number that passed."""
    counts = Counter(reason or "passed" for reason in reasons.tolist())
    return dict(counts.most_common())


def format_counts(counts: dict[str, int]) -> str:
    """The result of `count_reasons` as text: ``51 passed, 6 a copy``."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
