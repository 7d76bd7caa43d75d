"""The gate that every sample passes or is dropped at: is it of its class, is it a sample at all, is it new?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from autoaug.data.inputs import Inputs, MemoryInputs
from autoaug.data.splits import Samples
from autoaug.errors import OptionError, typed_line
from autoaug.policy.loading import load_policy
from autoaug.training.feed import in_order, inputs_at_once
from autoaug.training.inference import clean_batches, outputs_of
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, TrainingPlan
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end
from autoaug.utils.own_code import load_function

#: Called with a sample uint8 ``[C, H, W]`` and its class's name; false drops it.
Accept = Callable[[np.ndarray, str], bool]

#: Of real samples that the gate has not seen, these shares lie beyond its bounds. Wrong labels are the fault that is
#: hard to tell, so that nearly all of what may be lost goes to the first.
_UNLIKE, _TOO_NEAR, _TOO_FAR, _TOO_ROUGH = 0.045, 0.005, 0.004, 0.003
#: Nor is a copy what is farther from the training samples than this share of what held-out samples are, by the median:
#: where noise puts all samples equally far apart, whatever lacks the noise lies at 0.71 of that (1 / sqrt 2).
_COPY = 0.6
#: Where fewer need be dropped to catch this share of wrong labels, fewer are.
_CAUGHT = 0.98
_SIDE = 16


@dataclass(frozen=True, eq=False)
class SampleFilter:
    """A classifier that was trained on the real training samples, and bounds that real samples taught it.

    Attributes:
        training: the classifier.
        real: what the training samples look like: ``[N, d]``, see `copy_features`.
        groups: of the training samples, where they have any.
        confidence: the lowest share that the classifier may give a sample's own class.
        nearest: the least distance to a training sample: below it, the sample is a copy.
        farthest: the greatest: above it, the sample is like no sample.
        roughest: the greatest roughness, likewise.
    """

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
        """Why each of ``inputs [n, C, H, W]`` uint8 of classes ``labels [n]`` is dropped: ``[n]`` text, empty for those
        that pass.
        """
        shares, memory = own_probability(self.training, inputs, labels, self.device), MemoryInputs(inputs)
        distance = nearest_distance(in_parts(memory, copy_features), self.real)
        reasons = np.full(len(inputs), "", dtype="U20")
        if accept is not None:
            kept = [accept(sample, self.classes[label]) for sample, label in zip(inputs, labels, strict=True)]
            reasons[~np.array(kept, bool)] = "by the rule"
        reasons[shares < self.confidence] = "unlike its class"
        reasons[(distance > self.farthest) | (in_parts(memory, roughness) > self.roughest)] = "like no sample"
        reasons[distance < self.nearest] = "a copy"
        return reasons

    def balances(
        self, inputs: np.ndarray, labels: np.ndarray, reasons: np.ndarray
    ) -> dict[str, tuple[list[int], list[int]]]:
        """How many samples each of the ``classes`` has, and each of the ``groups`` where the data have any, before the
        gate and after it.
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
        return numbers[nearest(in_parts(MemoryInputs(inputs), copy_features), self.real)[1]], tuple(map(str, names))


def train_filter(
    real: Samples, validation: Samples, classes: tuple[str, ...], model: str, recipe: Recipe, seed: int, device: str
) -> SampleFilter:
    """A gate from the real samples: the classifier learns from the training samples, the bounds come from the validation
    samples, of which about a twentieth would be dropped at most.

    The classifier is trained under RandAugment: without augmentation it is so sure of its errors that a bound which
    real samples pass lets a quarter of wrong labels through.
    """
    plain = recipe.model_copy(update={"label_smoothing": 0.0})
    task = Classification(len(classes))
    training = train_to_end(TrainingPlan(load_policy("randaugment"), model, task, real, plain, seed, device))
    held, described = validation.inputs, in_parts(real.inputs, copy_features)
    distance = nearest_distance(in_parts(held, copy_features), described)
    shares, is_own = class_probabilities(training, held, device), np.eye(len(classes), dtype=bool)[validation.labels]
    return SampleFilter(
        training=training,
        real=described,
        classes=classes,
        groups=real.groups,
        confidence=float(min(np.quantile(shares[is_own], _UNLIKE), np.quantile(shares[~is_own], _CAUGHT))),
        nearest=0.9 * copy_bound(distance),
        farthest=float(np.quantile(distance, 1 - _TOO_FAR)),
        roughest=float(np.quantile(in_parts(held, roughness), 1 - _TOO_ROUGH)) * 1.1,
        device=device,
    )


def copy_bound(distance: np.ndarray) -> float:
    """How near to a training sample a copy lies, where held-out samples are at ``distance [n]`` from the nearest."""
    return float(min(np.quantile(distance, _TOO_NEAR), _COPY * np.median(distance)))


def own_probability(training: Training, inputs: np.ndarray, labels: np.ndarray, device: str) -> np.ndarray:
    """The probability ``[n]`` that the classifier gives each sample's own class."""
    if not len(labels):
        return np.empty(0)
    shares: np.ndarray = class_probabilities(training, MemoryInputs(inputs), device)[np.arange(len(labels)), labels]
    return shares


def class_probabilities(training: Training, inputs: Inputs, device: str) -> np.ndarray:
    """The probabilities ``[n, classes]`` that the classifier gives `inputs`, of which there is one at least."""
    batches = (values for _, values in clean_batches(inputs, device))
    return torch.cat(
        [outputs_of(training.model, values, device).float().softmax(1).cpu() for values in batches]
    ).numpy()


def in_parts(inputs: Inputs, measure: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What `measure` makes of uint8 ``[n, C, H, W]``, over all `inputs`, of which some are in memory at once."""
    parts = in_order(np.arange(len(inputs)), inputs_at_once(inputs.shape))
    return np.concatenate([measure(inputs.take(rows)) for rows in parts])


def copy_features(inputs: np.ndarray) -> np.ndarray:
    """``[n, C, H, W]`` uint8 as vectors ``[n, d]`` whose distances tell copies from new samples: the pixels, of larger
    samples at `_SIDE` pixels a side.
    """
    pixels = torch.from_numpy(inputs).float() / 255
    if min(pixels.shape[-2:]) > _SIDE:
        pixels = torch.nn.functional.adaptive_avg_pool2d(pixels, _SIDE)
    return pixels.flatten(1).numpy()


def roughness(inputs: np.ndarray) -> np.ndarray:
    """The mean difference of neighboring pixels of ``inputs [n, C, H, W]`` uint8, in [0, 255], ``[n]``: their
    anisotropic total variation (Rudin et al., 1992) a pixel. Of noise it is high, which at the few pixels a side where
    distances are measured is a gray that is near to many a photograph.
    """
    pixels = inputs.astype(np.int16)
    down, across = (np.abs(np.diff(pixels, axis=axis)).mean((1, 2, 3)) for axis in (2, 3))
    found: np.ndarray = (down + across) / 2
    return found


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
    """How many samples each of `count` classes or groups has, before the gate and after it; ``of [n]`` are numbers."""
    return np.bincount(of, minlength=count).tolist(), np.bincount(of[reasons == ""], minlength=count).tolist()


def load_accept_function(name: str) -> Accept:
    """The user's own rule, ``module:function``; raises `OptionError` where it cannot be had, and when it fails."""
    accept = load_function(name, "--accept")

    def guarded(sample: np.ndarray, kind: str) -> bool:
        try:
            return bool(accept(sample, kind))
        except (Exception, SystemExit) as fault:  # a user's function may raise anything, also to end the program
            raise OptionError(f"--accept {name} failed on a sample of class {kind!r}: {typed_line(fault)}") from fault

    return guarded


def count_reasons(reasons: np.ndarray) -> dict[str, int]:
    """How many were dropped for which reason, and how many passed."""
    counts = Counter(reason or "passed" for reason in reasons.tolist())
    return dict(counts.most_common())


def format_counts(counts: dict[str, int]) -> str:
    """A `count_reasons` in words: ``51 passed, 6 a copy``."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
