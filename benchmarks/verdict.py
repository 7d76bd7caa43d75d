"""Is the verdict honest, and is the right policy returned? Searches with known truths; writes JSON.

    scripts/bench_verdict [--simulations 500] [--real 20] [--out reports/verdict.json]

Simulated confirmations (`benchmarks.verdict_worlds`): policies have true accuracies, luck with the test samples and
with those of validation, and trainings have luck with their seeds, which both splits share. The program's own rules
pick the finalist and its baselines, add seeds, and give the verdict. What is counted is how often that is "better" and
"worse". The same with intervals for new seeds alone is what the program said before November 2026.

Intervals (`benchmarks.verdict_intervals`): how often they hold the truth, and how often two equal classifiers are
called different over folds. Rules of what is returned (`benchmarks.verdict_returns`): the mean true accuracy of what
each returns, and how often it is worse than the best baseline.

Real: searches on scikit-learn's digits with shuffled labels, so that no policy can be better than another. Results in
the JSON file are not run again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import autoaug
from autoaug.evaluation.group_sequential import interim_analyses
from benchmarks.command import options_of
from benchmarks.results import Results
from benchmarks.verdict_intervals import LUCK, crossed, folds
from benchmarks.verdict_returns import BASELINES, SEARCHES, compared
from benchmarks.verdict_worlds import SeedsAlone, World, confirmed, drawn

SIMULATIONS, REAL = "simulations each", "real, labels shuffled"
#: The first seeds, and the most that there may be: the program's default.
PLANNED = interim_analyses(5, 16)
ONE, FIVE = {"searched-0": 0.0, "baseline-0": 0.0}, {"searched-0": 0.0, **{f"baseline-{i}": 0.0 for i in range(5)}}
LARGE = World(test=5000, luck=0.0022)
PATIENTS = World(test=2000, group=10, luck=0.01)


def _search(gain: float) -> dict[str, float]:
    """Three searched policies, the best of which is so much better than the best baseline."""
    return {**BASELINES, **{f"searched-{i}": gain - 0.005 * i for i in range(3)}}


#: Policies with their true accuracies, the luck that there is, and after how many seeds one looks.
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
    """How often the verdict is which, and the mean number of trainings."""
    gains, world, planned = VERDICTS[name]
    draw = np.random.default_rng(list(name.encode()))
    found = [confirmed(drawn(world, gains, planned[-1], draw), planned) for _ in range(count)]
    return {
        "better": np.mean([judgment.verdict == "better" for judgment, _ in found]).item(),
        "worse": np.mean([judgment.verdict == "worse" for judgment, _ in found]).item(),
        "trainings": np.mean([sum(seeds.values()) for _, seeds in found]).item(),
    }


def simulations(count: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """All that is simulated, by part and name."""
    world = World()
    return {
        "verdicts": {name: partial(rates, name, count) for name in VERDICTS},
        "intervals": {
            f"{name}, {seeds} seeds": partial(crossed, name, seeds, count) for name in LUCK for seeds in (3, 5, 16)
        },
        "folds, two equal classifiers": {f"{seeds} seeds": partial(folds, seeds, 2 * count) for seeds in (4, 8, 16)},
        "returned": {name: partial(compared, search, world, PLANNED, count, 1) for name, search in SEARCHES.items()},
    }


def real(seed: int) -> str:
    """The verdict of a search on shuffled labels."""
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


def main() -> None:
    """Run the missing simulations and searches."""
    parser = options_of(__doc__, "verdict")
    parser.add_argument("--simulations", type=int, default=500, help="of each figure; 0 leaves them out")
    parser.add_argument("--real", type=int, default=20, help="searches; 0 leaves them out")
    options = parser.parse_args()
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
