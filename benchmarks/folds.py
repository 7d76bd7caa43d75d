"""The work of ``scripts/bench_folds``, which describes it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial

import numpy as np

from autoaug.data.folds import Folds
from autoaug.evaluation.statistics import Errors, corrected_errors, crossed_errors
from benchmarks.results import Results

SAMPLES, POLICIES, SEEDS, FOLDS = 400, 25, 15, 5
#: Standard deviations of an accuracy: due to all samples as test samples, and due to the seed of a training.
TEST_LUCK, NOISE = 0.01, 0.005
#: The standard deviation of the policies' worth, and that of an accuracy due to all samples as training samples.
WORLDS = {
    "none is better": (0.0, 0.0025),
    "none is better, luck in training": (0.0, 0.01),
    "they differ by two points": (0.02, 0.0025),
}
DESIGNS = ("split", "folds", "folds of all")


@dataclass(frozen=True, eq=False)
class World:
    """The truth about each policy, the baseline first: its worth ``[policies]``, and what each sample adds to its score
    when it is tested or trained on, ``[policies, samples]``.
    """

    worth: np.ndarray
    tested: np.ndarray
    trained: np.ndarray

    def trainings(self, policy: int, test: np.ndarray, train: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """What each test sample adds to the score of a training, ``[samples]``."""
        luck = self.worth[policy] + self.trained[policy, train].mean() + draw.normal(0, NOISE)
        added: np.ndarray = luck + self.tested[policy, test]
        return added


def drawn(spread: float, training_luck: float, draw: np.random.Generator) -> World:
    """Policies whose worth has the standard deviation `spread`; that of the baseline is 0."""
    worth = np.append(0.0, draw.normal(0, spread, POLICIES))
    luck = [draw.normal(0, one * SAMPLES**0.5, (POLICIES + 1, SAMPLES)) for one in (TEST_LUCK, training_luck)]
    return World(worth, *luck)


def simulated(design: str, world: World, draw: np.random.Generator) -> tuple[float, float, Errors]:
    """The true worth of the picked policy, the estimate, and its errors."""
    order = draw.permutation(SAMPLES)
    seen, held = np.split(order, [SAMPLES // 2 if design == "folds" else 3 * SAMPLES // 4])
    scores = world.worth + (world.tested + world.trained)[:, seen].mean(1) + draw.normal(0, NOISE, POLICIES + 1)
    picked = 1 + int(np.argmax(scores[1:]))
    if design == "split":
        table = np.stack(
            [world.trainings(picked, held, seen, draw) - world.trainings(0, held, seen, draw) for _ in range(SEEDS)]
        )
        values = table.mean(1)
        errors = crossed_errors(values.tolist(), table - values[:, None], 1 / len(held))
    else:
        test = order if design == "folds of all" else held
        folds = Folds(FOLDS, np.zeros(len(test), np.int64), np.arange(len(test))).of(range(SEEDS))
        values = np.array(
            [_difference(world, picked, test[own], np.setdiff1d(order, test[own]), draw) for own in folds.values()]
        )
        errors = corrected_errors(values.tolist(), FOLDS / len(test), 1 / (FOLDS - 1))
    return float(world.worth[picked]), float(values.mean()), errors


def _difference(world: World, policy: int, test: np.ndarray, train: np.ndarray, draw: np.random.Generator) -> float:
    """The score of a policy minus that of the baseline."""
    ours, theirs = (world.trainings(one, test, train, draw).mean() for one in (policy, 0))
    return float(ours - theirs)


def rates(design: str, spread: float, training_luck: float, count: int) -> dict[str, float]:
    """The results, in points or as shares."""
    searches = []
    for number in range(count):
        draw = np.random.default_rng([number, round(1000 * spread), round(10_000 * training_luck)])
        worth, estimate, errors = simulated(design, drawn(spread, training_luck, draw), draw)
        searches.append((worth, estimate - worth, errors.reach().total))
    worth, error, reach = np.array(searches).T
    better = worth + error > reach
    return {
        "worth of the picked policy": _points(worth),
        "optimism": _points(error),
        "half width": _points(reach),
        "interval misses": np.mean(abs(error) > reach).item(),
        "called better": better.mean().item(),
        "called better, and is not": np.mean(better & (worth <= 0)).item(),
    }


def _points(values: np.ndarray) -> float:
    """The mean, in points."""
    return round(100 * float(values.mean()), 2)


def main(options: argparse.Namespace) -> None:
    """Run the simulations that are missing."""
    results = Results(options.out, vars(options), fixed=["simulations"])
    for name, world in WORLDS.items():
        part = results.items.setdefault(name, {})
        for design in DESIGNS:
            if results.once(part, design, partial(rates, design, *world, options.simulations)):
                print(name, design, part[design], flush=True)
