"""How often intervals hold the truth: for seeds crossed with samples, and for folds whose training parts overlap."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from autoaug.evaluation.statistics import corrected_errors, crossed_errors, estimate_within, seed_errors

#: Standard deviations in points: of the effects of the seeds, of those of the samples, and of the residuals; the last
#: two for the mean over all samples.
LUCK = {
    "seeds alone": (0.7, 0.0, 0.5),
    "seeds alone, little rest": (0.7, 0.0, 0.1),
    "samples alone": (0.0, 0.7, 0.5),
    "samples alone, much rest": (0.0, 0.7, 0.7),
    "both": (0.5, 0.7, 0.5),
    "samples most": (0.2, 1.4, 0.5),
}
#: Numbers of groups, which take the place of samples, if there are few.
FEW_GROUPS = (2, 3, 5, 10)
RESAMPLES = 500


def crossed(name: str, seeds: int, count: int, samples: int = 200) -> dict[str, float]:
    """How often intervals at 95 % hold the true value 0, for tables ``[seeds, samples]``, and their half widths: the
    interval of the program, and the percentile interval of Owen's pigeonhole bootstrap (2007), which resamples seeds
    and samples. Samples may also stand for groups.
    """
    draw, (of_seeds, of_samples, residual) = np.random.default_rng([seeds, *name.encode()]), LUCK[name]
    root = math.sqrt(samples)
    held, widths = np.zeros((count, 2), bool), np.zeros((count, 2))
    for number in range(count):
        cells = (
            draw.normal(0, of_seeds, (seeds, 1))
            + draw.normal(0, of_samples * root, samples)
            + draw.normal(0, residual * root, (seeds, samples))
        )
        values = cells.mean(1)
        errors = crossed_errors(values.tolist(), cells - values[:, None], 0.0)
        rows = draw.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
        columns = draw.multinomial(samples, np.full(samples, 1 / samples), RESAMPLES) / samples
        resampled = np.einsum("br,rc,bc->b", rows, cells, columns, optimize=True)
        intervals = estimate_within(values.tolist(), errors).ci95, np.quantile(resampled, [0.025, 0.975])
        held[number] = [low <= 0 <= high for low, high in intervals]
        widths[number] = [(high - low) / 2 for low, high in intervals]
    return {
        "seeds": seeds,
        "the program's holds": held[:, 0].mean().item(),
        "the pigeonhole's holds": held[:, 1].mean().item(),
        "the program's half width": widths[:, 0].mean().item(),
        "the pigeonhole's half width": widths[:, 1].mean().item(),
    }


def folds(seeds: int, count: int, samples: int = 300, parts: int = 4) -> Mapping[str, float]:
    """How often two equally good classifiers are called different, if each seed has a split of its own.

    Samples of two classes have ten dimensions. One classifier takes the nearest mean in the first five, the other in
    the last five. Averaged over data sets, neither is better. Each seed shuffles the samples again, and holds out the
    next of `parts` folds.
    """
    draw, wrong = np.random.default_rng([seeds, samples, parts]), np.zeros(2)
    for _ in range(count):
        labels = np.arange(samples) % 2
        points = draw.normal(0, 1, (samples, 2, 5)) + 0.45 * (2 * labels - 1)[:, None, None]
        differences = []
        for seed in range(seeds):
            fold = draw.permutation(np.arange(samples) // 2 % parts)  # classes are balanced on average
            out = fold == seed % parts
            differences.append(float(np.subtract(*_nearest_mean(points, labels, out))))
        share = out.mean() / (1 - out.mean())
        resolution = 1 / out.sum()
        for place, errors in enumerate(
            (seed_errors(differences, resolution), corrected_errors(differences, resolution, float(share)))
        ):
            low, high = estimate_within(differences, errors).ci95
            wrong[place] += not low <= 0 <= high
    return {"seeds": seeds, "uncorrected": float(wrong[0] / count), "Nadeau and Bengio": float(wrong[1] / count)}


def _nearest_mean(points: np.ndarray, labels: np.ndarray, out: np.ndarray) -> tuple[float, float]:
    """The accuracies of both classifiers on the samples held out, where `out` is true."""
    means = np.stack([points[~out & (labels == label)].mean(0) for label in (0, 1)])
    distances = ((points[out, None] - means) ** 2).sum(-1)
    first, second = (distances.argmin(1) == labels[out, None]).mean(0).tolist()
    return first, second
