"""What the same seed must give whatever is moved or renamed: plans, pixels, fingerprints, trials and verdicts.

``tests/golden.json`` was written before the modules moved into rooms, by ``python -m tests.test_golden --write``. It is
written anew only where behaviour is meant to change, and the change's message says so. Its keys and values name nothing
that the code names, so that names can change. Nothing in it comes from a training, and numbers are compared within
tolerances, so that it holds on any CPU. Policies stand in it by their marks.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from optuna.samplers import RandomSampler

import autoaug
from autoaug.confirmation import Entrant, Training, assess, confirmation_seeds
from autoaug.data.splits import nested_rows
from autoaug.executors import Executor, TrialSpec
from autoaug.job import Silent
from autoaug.judgement import contenders, judge
from autoaug.operators import all_operators
from autoaug.options import SearchOptions
from autoaug.plan import Plan, draw_plan
from autoaug.policy import Adversarial, Mixing, Policy, Synthetic, builtin_names
from autoaug.prepare import prepare
from autoaug.result import Rung, TrialResult
from autoaug.run_folder import Budget
from autoaug.sampling import sample_around, sample_policy, sample_shaped
from autoaug.search_loop import run_search
from autoaug.seeds import derive_seed
from autoaug.sequential import is_hopeless, levels, looks
from autoaug.space import load_space
from autoaug.statistics import estimate, mcnemar
from autoaug.strategies import STRATEGIES, get_strategy
from autoaug.study import SearchStudy
from autoaug.transform import PolicyTransform, apply_plan, load_policy
from autoaug.trial import Train
from tests.conftest import write_npz

GOLDEN = Path(__file__).parent / "golden.json"
SPACES = ("digits", "flat", "light", "regularised", "standard")
BASELINES = {name: load_policy(name) for name in ("none", "flip-crop", "randaugment")}
#: The passes of a full training.
FULL = 3000


def mark(policy: Policy) -> str:
    """The fingerprint of the policy with its numbers rounded: the last digits of a logarithm depend on the machine."""
    return Policy.model_validate(rounded(policy.model_dump(mode="json", exclude_defaults=True))).fingerprint()


def rounded(value: Any, digits: int = 6) -> Any:
    """Plain JSON values with their floats rounded."""
    if isinstance(value, dict):
        return {key: rounded(part, digits) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part, digits) for part in value]
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        return rounded(value.tolist(), digits)
    return round(value, digits) if isinstance(value, float) and math.isfinite(value) else value


def drawn(space: str, seed: int, draw: Callable[..., Policy] = sample_policy) -> tuple[Policy, list[list[float]]]:
    """A policy of the space, and each choice in the order of asking: what was taken, and of how much."""
    trial = optuna.create_study(sampler=RandomSampler(seed=seed)).ask()
    policy = draw(load_space(space), trial)
    asked = [(trial.distributions[name], value) for name, value in trial.params.items()]
    return policy, [
        [d.to_internal_repr(value), *((d.low, d.high) if hasattr(d, "low") else (len(d.choices),))]
        for d, value in asked
    ]


def policies() -> dict[str, Policy]:
    """The published policies, and some of two spaces."""
    own = {f"{k}-{seed}": drawn(SPACES[k], seed)[0] for k in (3, 4) for seed in range(6)}
    mixed = {f"mix-{kind}": load_policy("flip-crop") + Policy(mixing=Mixing(kind=kind)) for kind in ("mixup", "cutmix")}
    return {name: load_policy(name) for name in builtin_names()} | own | mixed


def plans() -> dict[str, Any]:
    """Of a plan for 64 samples the choices, their signed magnitudes, and the rest for the first eight samples."""
    found = {}
    for name, policy in policies().items():
        plan = draw_plan(policy, 64, torch.Generator().manual_seed(7))
        rest = [plan.blend, plan.mode, plan.partner, plan.weight, plan.place]
        whole = [plan.choice, plan.magnitude, plan.draws.sum(), plan.draws[:, :8].flatten()]
        found[name] = rounded([len(plan), *whole, *(None if part is None else part[:8] for part in rest)], 5)
    return found


def pictures(channels: int) -> torch.Tensor:
    """Ramps, squares and noise, uint8 ``[4, channels, 64, 64]``: no two quarters of an image look alike."""
    draw = np.random.default_rng(channels)
    ramp = np.linspace(20, 150, 64)[None, None, :, None] + np.linspace(0, 60, 64)[None, None, None, :]
    images = ramp + draw.integers(0, 30, (4, channels, 64, 64)) + 10 * np.arange(channels)[None, :, None, None]
    for k, image in enumerate(images):
        image[:, 8 + 5 * k : 24 + 5 * k, 10:26] = [[[230]], [[60]], [[15]]][:channels]
    return torch.from_numpy(images.clip(0, 255).astype(np.uint8))


def coarse(images: torch.Tensor) -> list[Any]:
    """Of each image the means of its quarters and its deviation, in units of the range of pixels."""
    pixels = images.double() / 255
    quarters = pixels.unflatten(2, (2, 32)).unflatten(4, (2, 32)).mean((1, 3, 5)).flatten(1)
    return rounded(torch.cat([quarters, pixels.flatten(1).std(1, keepdim=True)], 1), 4)


def pixels() -> dict[str, Any]:
    """Pictures, RGB and gray, under the policies and under every operator, and what mixing makes of labels."""
    found: dict[str, Any] = {}
    for channels in (3, 1):
        images, labels = pictures(channels), torch.arange(4)
        for name, policy in policies().items():
            augmented, soft = PolicyTransform(policy, seed=5, num_classes=4)(images, labels)
            found[f"{name} {channels}"] = [coarse(augmented), rounded(soft, 4)]
        choice, uniforms = torch.zeros(1, 4).long(), torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(3))
        for number, (name, operator) in enumerate(sorted(all_operators().items())):
            magnitude = torch.tensor([[0.2, 0.5, 0.8, -0.6 if operator.signed else 1.0]])
            found[f"{number} {channels}"] = coarse(apply_plan(Plan((name,), choice, magnitude, uniforms), images))
    return found


def fingerprints() -> dict[str, Any]:
    """Of policies, of data and their splits, and what a study notes that all its trials depend on."""
    special = [
        Policy(copies=3),
        Policy(adversarial=Adversarial(kind="pgd", steps=3)),
        Policy(adversarial=Adversarial(kind="magnitudes", epsilon=0.25)),
        Policy(synthetic=Synthetic(kind="pca", share=0.5)),
        load_policy("flip-crop") + load_policy("randaugment"),
    ]
    found: dict[str, Any] = {
        "published": [load_policy(name).fingerprint() for name in builtin_names()],
        "special": [policy.fingerprint() for policy in special],
        "drawn": [mark(policy) for policy in policies().values()],
    }
    with tempfile.TemporaryDirectory() as folder:
        for data in ("digits", str(write_npz(Path(folder) / "bars.npz"))):
            options = SearchOptions(data, trials=3, seeds=2, seed=4, device="cpu", workers=1)
            config, split, _ = prepare(options, (), "")
            parts = (split.train, split.validation, split.test)
            facts = sorted(json.dumps(value) for value in config.facts().values())
            found[Path(data).stem] = [
                [split.fingerprint, split.train_fingerprint, split.is_exchangeable],
                [[len(part), int(part.labels @ np.arange(len(part)))] for part in parts],
                [int(part.images.take(np.arange(len(part))).astype(np.int64).sum()) for part in parts],
                [int(nested_rows(split.train.labels, share, 9).sum()) for share in (0.1, 0.25, 0.5)],
                facts,
            ]
    return found


def luck(policy: Policy, seed: int, share: float) -> float:
    """A score in [0, 1) in the place of a training."""
    text = f"{mark(policy)} {seed} {share:.4f}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Lucky(Executor):
    """Scores trainings by luck, passing one rung; every inquiry finds the same, which is fixed."""

    slots = 1

    def __init__(self, shift: bool) -> None:
        self._waiting: deque[tuple[str, TrialResult]] = deque()
        self.seeds: list[int] = []
        known = [load_policy(name).model_dump(mode="json", exclude_defaults=True) for name in builtin_names()[:3]]
        self._found = {"policy": known[1] if shift else None, "policies": known, "strength": 0.5, "operators": {}}

    def submit(self, spec: TrialSpec) -> None:
        self.seeds.append(spec.seed)
        work = spec.work
        if not isinstance(work, Train):
            result = TrialResult(started=1.0, ended=2.0, status="complete", passes=500, findings=self._found)
            self._waiting.append((spec.key, result))
            return
        score, passes = luck(work.policy, spec.seed, work.share), round(FULL * work.share * (work.until - work.since))
        half, whole = Rung(5, score / 2), Rung(10, score)
        if work.until == 1:
            result = TrialResult(started=1.0, ended=2.0, curve=(half,), passes=passes // 2)
            self._waiting.append((spec.key, result))
        done = {"accuracy": score, "robustness": 1 - score, "curve": (half, whole), "passes": passes}
        self._waiting.append((spec.key, TrialResult(started=1.0, ended=3.0, status="complete", **done)))

    def next_result(self) -> tuple[str, TrialResult]:
        return self._waiting.popleft()

    def cancel(self) -> None:
        self._waiting.clear()

    def close(self) -> None: ...


def searched(name: str, space: str, seed: int, trainings: float, shift: bool) -> list[Any]:
    """The trials of a search, and which of them are its finalists."""
    executor, strategy = Lucky(shift), get_strategy(name)
    study = SearchStudy("sqlite:///:memory:", load_space(space), strategy, seed=seed)
    run_search(study, executor, Budget(trainings=trainings), FULL, load_space(space), BASELINES, seed, Silent())
    stages: dict[str, int] = {}
    trials = [
        [
            mark(past.policy),
            [past.share, past.repeat, asked.since, asked.until, past.is_baseline],
            stages.setdefault(past.stage, len(stages)),
            past.frozen.state.name,
            rounded(past.values),
            past.passes,
        ]
        for past, asked in zip(study.history().trials, study.all(), strict=True)
    ]
    if name == "gp":  # what the process itself proposes depends on how a machine multiplies matrices
        return [trials[:12], executor.seeds[:12]]
    return [trials, executor.seeds, [past.number for past in strategy.finalists(study.history())]]


def proposals() -> dict[str, Any]:
    """What each strategy asks for, in which order."""
    flat = {"gp": "flat", "cmaes": "flat"}
    found = {name: searched(name, flat.get(name, "light"), 0, 16, shift=True) for name in STRATEGIES}
    for seed, shift in ((0, False), (1, True)):
        found[f"auto {seed} {shift}"] = searched("auto", "regularised", seed, 12, shift)
    return found


def guesses(labels: np.ndarray, accuracy: float, seed: int) -> np.ndarray:
    """Predictions that are right as often as that, by chance."""
    draw = np.random.default_rng(seed)
    return np.where(draw.random(len(labels)) < accuracy, labels, (labels + 1) % 4).astype(np.uint16)


def judged(test: Sequence[float], count: int, planned: tuple[int, ...], after_search: bool) -> list[Any]:
    """The judgement of five candidates with these accuracies on the test split, over so many seeds."""
    labels, seeds, kinds = np.arange(400) % 4, confirmation_seeds(3, count), ("baseline",) * 2 + ("searched",) * 2
    trainings, candidates = {}, []
    for number, (kind, accuracy) in enumerate(zip((*kinds, "rival"), test, strict=True)):
        entrant = Entrant(str(number), kind, Policy(copies=number + 1), None if kind == "baseline" else number)
        for seed in seeds:
            both = guesses(labels, 0.6 + 0.03 * number, seed + number), guesses(labels, accuracy, seed + 9 * number)
            trainings[entrant.name, seed] = Training(*both, 1.0)
        candidates.append(assess(entrant, trainings, seeds, labels, labels, 4))
    found = judge(candidates, trainings, labels, after_search, planned)
    of = found.comparison
    numbers = [list(of.differences), of.difference, list(of.ci95), of.p_value, of.level, list(of.looks)]
    undecided = [int(name) for name in contenders(found, candidates)] if planned else []
    pooled = list(of.mcnemar.model_dump().values())
    means = [[c.validation_mean, c.mean, list(c.ci95), list(c.class_accuracy)] for c in candidates]
    return rounded(
        [found.verdict, int(of.candidate), int(of.rival), int(found.returned.name), undecided, numbers, pooled, means]
    )


def verdicts() -> dict[str, Any]:
    """What is said of fixed predictions and of a score that is luck, and the statistics behind."""
    found: dict[str, Any] = {}
    for name, test in {
        "better": (0.70, 0.75, 0.8, 0.9, 0.76),
        "worse": (0.70, 0.9, 0.8, 0.7, 0.76),
        "level": (0.80, 0.81, 0.8, 0.81, 0.80),
        "close": (0.80, 0.81, 0.8, 0.84, 0.82),
    }.items():
        for count, planned in ((2, ()), (5, looks(5, 16)), (9, looks(5, 16)), (16, looks(5, 16))):
            found[f"{name} {count}"] = judged(test, count, planned, after_search=count != 2)
    few, many = [0.01, 0.02, -0.005, 0.012, 0.0], [0.01] * 4
    found["statistics"] = rounded(
        [list(estimate(few, 1 / 400)[:2]), estimate(few, 1 / 400).p_value, list(estimate(many, 1 / 400, 0.01)[1])]
        + [list(mcnemar(np.arange(50) % 3 == 0, np.arange(50) % 2 == 0)), [looks(5, most) for most in (5, 6, 8, 30)]]
        + [levels(looks(5, 16)), levels((2, 4, 8)), is_hopeless(few, looks(5, 16)), is_hopeless(many, looks(4, 9))]
    )
    found["seeds"] = [derive_seed(seed, what, k) for seed in (0, 2**32 - 1) for what in ("a", "share") for k in (0, 5)]
    result = autoaug.search(
        objective=lambda transform, seed, share: luck(transform.policy, seed, share), trials=16, seeds=4, seed=2
    )
    candidates = [[mark(c.policy), c.scores, c.mean, c.ci95] for c in result.candidates]
    numbers = [result.verdict, result.difference, result.ci95, result.p_value, mark(result.policy)]
    trials = [[trial.share, trial.repeat, trial.accuracy] for trial in result.history]
    found["luck"] = rounded([numbers, candidates, trials])
    return found


def choices() -> dict[str, Any]:
    """What the spaces ask of a sampler, in which order: it is what makes a seed give the same policies."""
    known = {name: load_policy(name) for name in ("randaugment", "trivialaugment")}
    ways: dict[str, Callable[..., Policy]] = {
        "all": sample_policy,
        "few": lambda space, suggest: sample_shaped(space, suggest, known),
        "near": lambda space, suggest: sample_around(known["trivialaugment"], suggest),
    }
    found = {}
    for (way, draw), number, seed in ((w, n, s) for w in ways.items() for n in range(len(SPACES)) for s in range(4)):
        policy, asked = drawn(SPACES[number], seed, draw)
        found[f"{way} {number} {seed}"] = [mark(policy), rounded(asked)]
    return found


#: What is pinned, and how far numbers may differ.
PINNED: dict[str, tuple[Callable[[], dict[str, Any]], float]] = {
    "plans": (plans, 2e-5),
    "pixels": (pixels, 2e-3),
    "fingerprints": (fingerprints, 0.0),
    "proposals": (proposals, 2e-6),
    "verdicts": (verdicts, 2e-6),
    "choices": (choices, 2e-6),
}


def differences(found: Any, golden: Any, tolerance: float, where: str = "") -> list[str]:
    """Where two JSON values differ: floats by more than the tolerance, all else at all."""
    if isinstance(golden, dict) and isinstance(found, dict) and found.keys() == golden.keys():
        return [d for key in golden for d in differences(found[key], golden[key], tolerance, f"{where}/{key}")]
    if isinstance(golden, list) and isinstance(found, list) and len(found) == len(golden):
        pairs = enumerate(zip(found, golden, strict=True))
        return [d for i, (one, other) in pairs for d in differences(one, other, tolerance, f"{where}/{i}")]
    if isinstance(golden, float) and isinstance(found, float):
        return [] if abs(found - golden) <= tolerance else [f"{where}: {found}, not {golden}"]
    return [] if type(found) is type(golden) and found == golden else [f"{where}: {found!r:.80}, not {golden!r:.80}"]


@pytest.mark.parametrize("what", PINNED)
def test_the_same_seed_gives_what_it_always_gave(what: str) -> None:
    make, tolerance = PINNED[what]
    found = differences(json.loads(json.dumps(make())), json.loads(GOLDEN.read_text())[what], tolerance, what)
    assert not found, f"{len(found)} values differ, first {found[:3]}"


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    torch.set_num_threads(1)
    lines = [f'"{what}": {json.dumps(make(), separators=(",", ":"))}' for what, (make, _) in PINNED.items()]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
