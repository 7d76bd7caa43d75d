"""The work of ``scripts/bench_verdict``, which describes it."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import autoaug
from autoaug.evaluation.group_sequential import interim_analyses
from benchmarks import verdict_classes, verdict_groups
from benchmarks.results import Results
from benchmarks.verdict_intervals import FEW_GROUPS, LUCK, crossed, folds
from benchmarks.verdict_returns import BASELINES, SEARCHES, compared
from benchmarks.verdict_worlds import SeedsAlone, World, confirmed, drawn

SIMULATIONS, REAL = "simulations each", "real, labels shuffled"
#: The numbers of seeds at the interim analyses, with the program's defaults.
PLANNED = interim_analyses(5, 16)
ONE, FIVE = {"searched-0": 0.0, "baseline-0": 0.0}, {"searched-0": 0.0, **{f"baseline-{i}": 0.0 for i in range(5)}}
LARGE = World(test=5000, luck=0.0022)
PATIENTS = World(test=2000, group=10, luck=0.01)


def _search(gain: float) -> dict[str, float]:
    """Baselines and three searched policies, the best of which is better than the best baseline by `gain`."""
    return {**BASELINES, **{f"searched-{i}": gain - 0.005 * i for i in range(3)}}


#: Policies with their true accuracies, the luck, and the numbers of seeds at the interim analyses.
VERDICTS: dict[str, tuple[dict[str, float], World, tuple[int, ...]]] = {
    "one rival, all equal": (ONE, World(), PLANNED),
    "one rival, all equal; seeds alone": (ONE, World(scoring=SeedsAlone), PLANNED),
    "five rivals, all equal": (FIVE, World(), PLANNED),
    "five rivals, all equal; seeds alone": (FIVE, World(scoring=SeedsAlone), PLANNED),
    "one rival, all equal, 200 test samples": (ONE, World(test=200, luck=0.01, seed_noise=0.01), PLANNED),
    "one rival, all equal, 5 seeds": (ONE, World(), (5,)),
    "one rival, all equal, 5,000 test samples": (ONE, LARGE, PLANNED),
    "one rival, all equal, 200 groups of 10": (ONE, PATIENTS, PLANNED),
    "one rival, all equal, 200 groups of 10, not told": (ONE, replace(PATIENTS, knows_groups=False), PLANNED),
    "a search, equal": (_search(0.0), World(), PLANNED),
    "a search, +1 point": (_search(0.01), World(), PLANNED),
    "a search, +2 points": (_search(0.02), World(), PLANNED),
    "a search, +1 point, 5,000 test samples": (_search(0.01), LARGE, PLANNED),
    "a search, -1 point, 5,000 test samples": (_search(-0.01), LARGE, PLANNED),
}


def rates(name: str, count: int) -> dict[str, float]:
    """The rates of the verdicts, and the mean number of trainings."""
    gains, world, planned = VERDICTS[name]
    draw = np.random.default_rng(list(name.encode()))
    outcomes = [confirmed(drawn(world, gains, planned[-1], draw), planned) for _ in range(count)]
    return {
        "better": np.mean([judgment.verdict == "better" for judgment, _ in outcomes]).item(),
        "worse": np.mean([judgment.verdict == "worse" for judgment, _ in outcomes]).item(),
        "trainings": np.mean([sum(seeds.values()) for _, seeds in outcomes]).item(),
    }


def simulations(count: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """All simulations, by part and name."""
    world = World()
    return {
        "verdicts": {name: partial(rates, name, count) for name in VERDICTS},
        "intervals": {
            f"{name}, {seeds} seeds": partial(crossed, name, seeds, count) for name in LUCK for seeds in (3, 5, 16)
        },
        "intervals, few groups": {
            f"{name}, {groups} groups": partial(crossed, name, 5, count, groups)
            for name in LUCK
            for groups in FEW_GROUPS
        },
        "groups": {name: partial(verdict_groups.called, name, count) for name in verdict_groups.GROUPS},
        "classes": {name: partial(verdict_classes.called, name, count) for name in verdict_classes.CLASSES},
        "folds, two equal classifiers": {f"{seeds} seeds": partial(folds, seeds, 2 * count) for seeds in (4, 8, 16)},
        "returned": {name: partial(compared, search, world, PLANNED, count, 1) for name, search in SEARCHES.items()},
    }


def real(seed: int) -> str:
    """The verdict of a search on digits with shuffled labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    labels = digits.target[np.random.default_rng([seed, 1]).permutation(order)]
    images = np.round(digits.images[order] * 255 / 16).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/shuffled.npz", x_train=images, y_train=labels)
        result = autoaug.search(
            f"{folder}/shuffled.npz",
            space="digits",
            budget="4x",
            epochs=4,
            seed=seed,
            out=f"{folder}/run",
            workers=1,
            allow=("conflict", "leak"),
        )
    return result.verdict


def main(options: argparse.Namespace) -> None:
    """Run the simulations and searches that are missing."""
    results = Results(options.out, vars(options))
    if options.simulations:
        noted = results.items.setdefault(SIMULATIONS, options.simulations)
        if noted != options.simulations:
            raise SystemExit(f"error: {options.out} has {noted} {SIMULATIONS}; name another file with --out")
        for part, of_part in simulations(options.simulations).items():
            known = results.items.setdefault(part, {})
            for name, measure in of_part.items():
                if results.once(known, name, measure):
                    print(part, name, known[name], flush=True)
    verdicts = results.items.setdefault(REAL, {})
    for seed in range(sum(verdicts.values()), options.real):
        verdict = real(seed)
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        results.save()
        print(seed, verdict, flush=True)
