"""The work of ``scripts/bench_uneven``, which describes it."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

from autoaug.data.inputs import MemoryInputs, pick
from autoaug.data.pool import Pool
from autoaug.data.splits import Samples
from autoaug.evaluation.statistics import estimate
from autoaug.generate.filter import SampleFilter, train_filter
from autoaug.generate.fitting import FitSettings, fit_generator
from autoaug.generate.generator import SavedGenerator
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy, Synthetic
from autoaug.training.setting import TrainingSetting
from autoaug.utils.seeds import derive_seed
from benchmarks.results import Results
from benchmarks.trained import setting_on, test_score

#: The samples in a pool for every training image.
PER_IMAGE = 2
BASES = ("none", "randaugment")
SHARES = (0.25, 0.5)
ALONE = "alone"
SAMPLES = {f"samples, classes {name}": name for name in ("as they are", "alike", "evening out")}
REAL = "real images, classes evening out"


def proportions(counts: np.ndarray) -> dict[str, np.ndarray]:
    """The proportions of the classes in a pool ``[classes]``, by name."""
    return {"as they are": counts, "alike": np.ones_like(counts), "evening out": counts.max() - counts}


def _per_class(shares: np.ndarray, size: int) -> np.ndarray:
    counts: np.ndarray = np.round(size * shares / shares.sum()).astype(int)
    return counts


def sampled(made: SavedGenerator, sample_filter: SampleFilter, shares: np.ndarray, size: int) -> Pool:
    """Filtered samples, `size` before the filter, in proportion to `shares`."""
    labels = np.repeat(np.arange(len(shares)), _per_class(shares, size))
    images = made.sample(labels, derive_seed(0, "pool"))
    passed = np.flatnonzero(sample_filter.judge(images, labels) == "")
    return Pool(Samples(MemoryInputs(images[passed]), labels[passed]), np.ones(len(passed)))


def repeated(train: Samples, shares: np.ndarray, size: int) -> Pool:
    """`size` training images, drawn with replacement in proportion to `shares`."""
    draw, counts = np.random.default_rng(0), _per_class(shares, size)
    rows = np.concatenate([draw.choice(np.flatnonzero(train.labels == k), n) for k, n in enumerate(counts)])
    return Pool(Samples(pick(train.inputs, rows), train.labels[rows]), np.ones(len(rows)))


@cache
def setting_and_pools(given: str) -> tuple[TrainingSetting, Mapping[str, Pool]]:
    """The training setting for the data at that path, and its pools by name."""
    data, setting = setting_on(given)
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    sample_filter = train_filter(data, "auto", setting.recipe, 0, "cpu")
    with tempfile.TemporaryDirectory() as folder:
        made = fit_generator("pca", data, Path(folder, "pca"), FitSettings(seed=0))
    size, ways = PER_IMAGE * len(data.train), proportions(counts)
    pools = {title: sampled(made, sample_filter, ways[name], size) for title, name in SAMPLES.items()}
    return setting, {**pools, REAL: repeated(data.train, ways["evening out"], size)}


def arms() -> dict[str, tuple[Policy, str]]:
    """Policies by name, each with the name of its pool, empty for none."""
    named: dict[str, tuple[Policy, str]] = {}
    for base in BASES:
        policy = load_policy(base)
        named[f"{base}, {ALONE}"] = policy, ""
        for pool in (*SAMPLES, REAL):
            for share in SHARES:
                mixed = policy.model_copy(update={"synthetic": Synthetic(kind="pca", share=share)})
                named[f"{base}, {pool}, {share:g}"] = mixed, pool
    return named


def main(options: argparse.Namespace) -> None:
    """Run the missing trainings."""
    torch.set_num_threads(1)
    results = Results(options.out, vars(options), fixed=("data",))
    for seed in range(options.seeds):
        for name, (policy, pool) in arms().items():
            scores = results.items.setdefault(name, [])
            if len(scores) > seed:
                continue
            setting, pools = setting_and_pools(options.data)
            own = replace(setting, pools={"pca": pools[pool]}) if pool else setting
            scores.append(test_score(policy, own, seed))
            results.save()
    for name, scores in results.items.items():
        gains = [100 * (a - b) for a, b in zip(scores, results.items[f"{name.split(',')[0]}, {ALONE}"], strict=True)]
        low, high = estimate(gains, 0.01).ci95 if any(gains) else (0.0, 0.0)
        print(f"{name}: {100 * np.mean(scores):.2f}, {np.mean(gains):+.2f} [{low:+.2f}, {high:+.2f}]")
