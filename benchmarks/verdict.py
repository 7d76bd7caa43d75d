"""Is the verdict honest? Simulated searches with known truths, and real ones on labels that carry nothing; JSON.

    scripts/bench_verdict [--simulations 2000] [--real 20] [--out reports/verdict.json]

Simulated: three searched policies and five baselines with true accuracies; what a training scores is the truth, plus
what its seed does to all alike, plus noise of 0.7 points on the test split and more on the smaller validation split.
The program's own rules pick the finalist and its strongest baseline, add seeds, and give the verdict. What is counted
is how often the verdict is "better": wrongly where the best searched policy is not better, and rightly where it is, by
one or two points.

Real: searches on scikit-learn's digits with shuffled labels, where no policy can be better than another. What is in the
JSON is not run again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence

import numpy as np

import autoaug
from autoaug.evaluation.group_sequential import interim_analyses
from autoaug.evaluation.scoring import Scoring
from autoaug.evaluation.verdict import Terms, contenders, judge
from autoaug.policy.models import Policy
from autoaug.results import Candidate
from autoaug.training.metrics import Accuracy
from autoaug.training.tasks import Classification
from benchmarks.command import options_of
from benchmarks.results import Results

LABELS = np.zeros(10_000, np.int64)
SCORING = Scoring(Classification(1), Accuracy(), LABELS, LABELS)
NOISE, COMMON, VALIDATION_NOISE = 0.007, 0.005, 0.015
BASELINES = (0.0, -0.005, -0.01, -0.02, -0.05)
GAINS = (-0.01, 0.0, 0.01, 0.02)
#: The first seeds, and the most that there may be.
DESIGNS = ((3, 3), (5, 5), (8, 8), (16, 16), (5, 16))
SIMULATIONS, REAL = "simulations each", "real, labels shuffled"


def candidate(name: str, kind: str, validation: np.ndarray, test: np.ndarray) -> Candidate:
    """A candidate with those scores ``[seeds]``."""
    return Candidate.model_construct(
        name=name,
        kind=kind,
        trial=None if kind == "baseline" else 0,
        policy=Policy(),
        seeds=tuple(range(len(test))),
        validation_scores=tuple(validation),
        validation_mean=float(validation.mean()),
        test_scores=tuple(test),
        mean=float(test.mean()),
    )


def simulated(gain: float, first: int, most: int, draw: np.random.Generator) -> tuple[str, int]:
    """The verdict, where the best of three searched policies beats the best baseline by `gain`, and the trainings."""
    truth = {f"searched-{i}": 0.8 + gain - 0.005 * i for i in range(3)}
    truth |= {f"baseline-{i}": 0.8 + below for i, below in enumerate(BASELINES)}
    common = draw.normal(0, COMMON, most)
    test = {name: value + common + draw.normal(0, NOISE, most) for name, value in truth.items()}
    validation = {name: value + draw.normal(0, VALIDATION_NOISE, most) for name, value in truth.items()}
    planned, seeds = interim_analyses(first, most), dict.fromkeys(truth, first)
    trainings = {(name, seed): SCORING.training(LABELS, LABELS, 0.0) for name in truth for seed in range(most)}
    for i, _ in enumerate(planned):
        candidates = [
            candidate(name, name.partition("-")[0], validation[name][: seeds[name]], test[name][: seeds[name]])
            for name in truth
        ]
        judgment = judge(candidates, trainings, SCORING, Terms(planned=planned))
        names = contenders(judgment, candidates)
        if not names or i + 1 == len(planned):
            break
        seeds |= dict.fromkeys(names, planned[i + 1])
    return judgment.verdict, sum(seeds.values())


def rates(first: int, most: int, gains: Sequence[float], count: int) -> dict[str, float]:
    """How often the verdict is "better" at each true gain, and the mean number of trainings."""
    row: dict[str, float] = {"first seeds": first, "most seeds": most}
    for gain in gains:
        draw = np.random.default_rng([first, most, round(1000 * (gain + 1))])
        found = [simulated(gain, first, most, draw) for _ in range(count)]
        row[f"better at {100 * gain:+.1f} points"] = np.mean([verdict == "better" for verdict, _ in found]).item()
        row[f"trainings at {100 * gain:+.1f} points"] = np.mean([used for _, used in found]).item()
    return row


def real(seed: int) -> str:
    """The verdict of a search on shuffled labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    labels = digits.target[np.random.default_rng([seed, 1]).permutation(order)]
    images = np.round(digits.images[order] * 255 / 16).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/shuffled.npz", x_train=images, y_train=labels)
        found = autoaug.search(
            f"{folder}/shuffled.npz",
            space="digits",
            budget="4x",
            epochs=4,
            seed=seed,
            out=f"{folder}/run",
            workers=1,
            allow=("conflict", "leak"),
        )
    return found.verdict


def main() -> None:
    """Run the simulations and the searches that are missing."""
    parser = options_of(__doc__, "verdict")
    parser.add_argument("--simulations", type=int, default=2000, help="of each design and gain; 0 leaves them out")
    parser.add_argument("--real", type=int, default=20, help="searches; 0 leaves them out")
    options = parser.parse_args()
    results = Results(options.out, vars(options))
    if options.simulations:
        noted = results.items.setdefault(SIMULATIONS, options.simulations)
        if noted != options.simulations:
            raise SystemExit(f"error: {options.out} has {noted} {SIMULATIONS}; name another file with --out")
        rows = results.items.setdefault("simulated", [])
        known = {(row["first seeds"], row["most seeds"]) for row in rows}
        for first, most in (design for design in DESIGNS if design not in known):
            rows.append(rates(first, most, GAINS, options.simulations))
            results.save()
            print(rows[-1], flush=True)
    verdicts = results.items.setdefault(REAL, {})
    for seed in range(sum(verdicts.values()), options.real):
        verdict = real(seed)
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        results.save()
        print(seed, verdict, flush=True)
