"""Quality metrics of generated samples: several, because no single one can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from autoaug.data.splits import Samples
from autoaug.generate.features import classifier_features
from autoaug.generate.filter import SampleFilter, copy_bound, in_parts, nearest_distance
from autoaug.policy.models import Policy
from autoaug.training.inference import predict
from autoaug.training.metrics import Accuracy, score, statistics_of
from autoaug.training.recipe import Recipe
from autoaug.training.state import TrainingPlan
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end

_NEIGHBORS = 5
#: Samples are judged if there are more than this: the metrics of fewer would be meaningless.
LEAST_JUDGED = 20
_SUBSETS, _SUBSET = 20, 100


class Judged(NamedTuple):
    """Metrics of generated samples, compared with real ones that the generator has not seen.

    Attributes:
        fid: Fréchet distance of the features (Heusel et al., 2017).
        kid: kernel distance of the features (Binkowski et al., 2018).
        precision, recall: the fraction of samples near real ones, and of real ones near samples (Kynkaanniemi et al.,
            2019).
        density, coverage: the same, less sensitive to outliers (Naeem et al., 2020).
        memorized: the fraction of samples that are copies of a training sample, by `copy_bound`: nearer to one than
            99.5 % of held-out samples.
        classification: the accuracy in [0, 1] on real held-out samples of a classifier trained only on generated ones
            (Ravuri and Vinyals, 2019); NaN if not computed.
        inception_fid, inception_kid: the distances of the published features; NaN if not computed.
    """

    fid: float
    kid: float
    precision: float
    recall: float
    density: float
    coverage: float
    memorized: float
    classification: float = math.nan
    inception_fid: float = math.nan
    inception_kid: float = math.nan

    def known(self) -> dict[str, float]:
        """The metrics that were computed, by name."""
        return {name: value for name, value in self._asdict().items() if math.isfinite(value)}


class ClassifierPlan(NamedTuple):
    """How to train a classifier on generated samples alone."""

    model: str
    recipe: Recipe
    seed: int
    modality: str


def classification_score(made: Samples, held_out: Samples, how: ClassifierPlan, device: str) -> float:
    """The accuracy in [0, 1] on real ``held_out`` samples of a classifier trained, without augmentation, on the samples
    `made` alone. It varies by a percentage point or more with the classifier's seed.
    """
    task = Classification(int(made.labels.max()) + 1)
    plan = TrainingPlan(Policy(), how.model, task, made, how.recipe, how.seed, device, how.modality)
    scores = predict(train_to_end(plan).result, task, held_out, device, how.modality)
    return score(Accuracy(), statistics_of(Accuracy(), task, scores, held_out.labels))


def judge_samples(
    made: Samples,
    held_out: Samples,
    sample_filter: SampleFilter,
    score_on: ClassifierPlan | None = None,
    published: Callable[[Tensor], Tensor] | None = None,
) -> Judged:
    """Judge generated samples against real ones that the generator has not seen.

    Args:
        made: the generated samples.
        held_out: the real ones.
        sample_filter: the filter for the samples that the generator was fitted to. All distances but `memorized` use
            the features of its classifier.
        score_on: how to train a classifier on the samples alone; None skips `classification`.
        published: computes the features used in publications; None skips those distances.
    """
    ours, theirs = (samples.inputs.take(np.arange(len(samples))) for samples in (made, held_out))
    both = torch.from_numpy(theirs), torch.from_numpy(ours)
    modality, device = sample_filter.modality, sample_filter.device
    model, as_work = sample_filter.training.result, modality.values.as_work
    seen = [classifier_features(model, stored, device, as_work) for stored in both]
    others: dict[str, float] = {}
    if published is not None:
        others = dict(zip(("inception_fid", "inception_kid"), distances(*map(published, both)), strict=True))
    bound = copy_bound(nearest_distance(in_parts(held_out.inputs, modality.copy_vectors), sample_filter.real))
    nearest = nearest_distance(in_parts(made.inputs, modality.copy_vectors), sample_filter.real)
    if score_on is not None:
        others["classification"] = classification_score(made, held_out, score_on, device)
    memorized = float((nearest < bound).mean())
    return Judged(*distances(*seen), *manifold_figures(*seen), memorized, **others)


def distances(real: Tensor, made: Tensor) -> tuple[float, float]:
    """Fréchet and kernel distance between the features ``real [n, d]`` and ``made [m, d]``, with n and m at least 2."""
    return frechet_distance(real, made), kernel_distance(real, made)


def frechet_distance(real: Tensor, made: Tensor) -> float:
    """|m - n|² + tr(A + B - 2 sqrt(AB)), with the means m, n and the covariances A, B (Heusel et al., 2017). NaN for a
    single sample, which has no covariance, and for features that are not finite.
    """
    (mean, covariance), (other_mean, other) = _moments(real), _moments(made)
    if not (covariance.isfinite().all() and other.isfinite().all()):
        return math.nan  # the eigenvalues of NaN end the process in some builds of MKL
    apart = (mean - other_mean).square().sum()
    cross = torch.linalg.eigvals(covariance @ other).sqrt().real.sum()
    return float((apart + covariance.trace() + other.trace() - 2 * cross).to(real.dtype))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ``[d]`` and covariance ``[d, d]``, in double precision."""
    values, count = features.double(), len(features)
    mean = values.sum(0) / count
    return mean, (values.T @ values - count * torch.outer(mean, mean)) / (count - 1)


def kernel_distance(real: Tensor, made: Tensor) -> float:
    """The unbiased squared maximum mean discrepancy with the kernel (x·y / d + 1)³, averaged over random subsets
    (Binkowski et al., 2018).
    """
    size, generator = min(_SUBSET, len(real), len(made)), torch.Generator().manual_seed(0)
    discrepancies = []
    for _ in range(_SUBSETS):
        ours, theirs = (f[torch.randperm(len(f), generator=generator)[:size]] for f in (real, made))
        within = (_kernel(ours, ours), _kernel(theirs, theirs))
        apart = sum((kernel.sum(-1) - kernel.diagonal()).sum() for kernel in within)
        discrepancies.append(apart / (size * (size - 1)) - 2 * _kernel(ours, theirs).sum(0).sum() / size**2)
    return float(torch.stack(discrepancies).mean())


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T * (1.0 / one.shape[1]) + 1.0) ** 3


def manifold_figures(real: Tensor, made: Tensor) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage of ``made [m, d]`` against ``real [n, d]``, with balls whose radius is
    the distance to the fifth-nearest neighbor.
    """
    k = min(_NEIGHBORS, len(real) - 1, len(made) - 1)
    reach_real = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    reach_made = torch.cdist(made, made).kthvalue(k + 1, dim=1).values
    between = torch.cdist(real, made)
    inside = between <= reach_real[:, None]
    precision = float(inside.any(0).float().mean())
    recall = float((between <= reach_made[None]).any(1).float().mean())
    density = float(inside.float().sum(0).mean() / k)
    coverage = float((between.amin(1) <= reach_real).float().mean())
    return precision, recall, density, coverage
