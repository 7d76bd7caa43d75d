"""How good samples are: several figures, because none of them alone can be trusted."""

from __future__ import annotations

import math
import warnings
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.generate.features import InceptionFeatures, classifier_features
from autoaug.generate.filter import copy_bound, copy_features, in_parts, nearest_distance
from autoaug.policy.models import Policy
from autoaug.training.inference import predict
from autoaug.training.metrics import Accuracy, score
from autoaug.training.recipe import Recipe
from autoaug.training.state import Training, TrainingPlan
from autoaug.training.tasks import Classification
from autoaug.training.train import train_to_end

_NEIGHBORS = 5
#: Fewer samples than this say nothing.
LEAST_JUDGED = 20
_SUBSETS, _SUBSET = 20, 100


class Judged(NamedTuple):
    """Figures of generated samples against real ones that the generator has not seen.

    Attributes:
        fid: Fréchet distance of the features (Heusel et al., 2017).
        kid: kernel distance of the features (Binkowski et al., 2018).
        precision, recall: shares of samples near real ones, and of real ones near samples (Kynkaanniemi et al., 2019).
        density, coverage: likewise, less moved by outliers (Naeem et al., 2020).
        memorized: share of the samples that are copies of a training sample, by `copy_bound`: nearer to one than 99.5 %
            of held-out samples are.
        classification: accuracy in [0, 1] on real held-out samples of a classifier trained on samples alone (Ravuri and
            Vinyals, 2019); NaN where it was not asked for.
        inception_fid, inception_kid: the distances of Inception's features; NaN where they were not asked for.
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
        """The figures that there are, by name."""
        return {name: value for name, value in self._asdict().items() if math.isfinite(value)}


def classification_score(
    made: np.ndarray, labels: np.ndarray, held_out: Samples, model: str, recipe: Recipe, seed: int, device: str
) -> float:
    """The accuracy in [0, 1] on real ``held_out`` samples of a classifier that was trained, without augmentation, on the
    samples ``made [n, C, H, W]`` alone. It varies by a point or more with the classifier's seed.
    """
    task = Classification(int(labels.max()) + 1)
    plan = TrainingPlan(Policy(), model, task, Samples(MemoryInputs(made), labels), recipe, seed, device)
    found = predict(train_to_end(plan).model, task, held_out.inputs, device)
    return score(Accuracy(), Accuracy().statistics(found, held_out.labels))


def judge_samples(
    made: np.ndarray,
    labels: np.ndarray,
    real: Samples,
    held_out: Samples,
    classifier: Training,
    device: str,
    score_on: tuple[str, Recipe, int] | None = None,
    inception: InceptionFeatures | None = None,
) -> Judged:
    """Judge the samples ``made [n, C, H, W]``, uint8 of classes ``labels [n]``, against ``held_out`` ones.

    Args:
        made: the samples.
        labels: their classes.
        real: what the generator was trained on.
        held_out: real samples that it was not trained on.
        classifier: trained on `real`; its features are the space of all distances but `memorized`.
        device: of the classifier.
        score_on: model, recipe and seed of a classifier to train on the samples alone; None leaves that out.
        inception: the features that figures are published on; None leaves those distances out.
    """
    kept = held_out.inputs.take(np.arange(len(held_out)))
    ours, theirs = torch.from_numpy(made), torch.from_numpy(kept)
    seen = [classifier_features(classifier.model, inputs, device) for inputs in (theirs, ours)]
    fid, kid = distances(*seen)
    others = {}
    if inception is not None:
        found = distances(inception(theirs), inception(ours))
        others = dict(zip(("inception_fid", "inception_kid"), found, strict=True))
    precision, recall, density, coverage = manifold_figures(*seen)
    trained = in_parts(real.inputs, copy_features)
    bound = copy_bound(nearest_distance(copy_features(kept), trained))
    memorized = float((nearest_distance(copy_features(made), trained) < bound).mean())
    if score_on is not None:
        others["classification"] = classification_score(made, labels, held_out, *score_on, device)
    return Judged(fid, kid, precision, recall, density, coverage, memorized, **others)


class _Given(nn.Module):
    """Features that are there already, for metrics that would extract them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.num_features = size

    def forward(self, features: Tensor) -> Tensor:
        """The same."""
        return features


def distances(real: Tensor, made: Tensor) -> tuple[float, float]:
    """Fréchet and kernel distance between the features ``real [n, d]`` and ``made [m, d]``."""
    given = _Given(real.shape[1])
    fid = FrechetInceptionDistance(feature=given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it keeps all features: they are few
        kid = KernelInceptionDistance(feature=given, subsets=_SUBSETS, subset_size=min(_SUBSET, len(real), len(made)))
    for metric in (fid, kid):
        metric.update(real, real=True)
        metric.update(made, real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # which subsets KID takes
        return float(fid.compute()), float(kid.compute()[0])


def manifold_figures(real: Tensor, made: Tensor) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage of ``made [m, d]`` against ``real [n, d]``, by balls that reach to the
    fifth-nearest neighbor.
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


def balanced_labels(classes: int, per_class: int) -> np.ndarray:
    """``per_class`` labels of every class, class by class, int64."""
    return np.repeat(np.arange(classes, dtype=np.int64), per_class)
