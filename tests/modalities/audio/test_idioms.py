"""Exports for sounds in a library's own words: what operators make, and the distribution of their draws.

The oracle is the engine, with steps applied one after another.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.exporters import export_policy, is_idiomatic
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Chains, Mixing, Operation, Policy, in_turn
from tests.idiomatic import AS_EXACT, check_alike, loaded
from tests.modalities.audio.sounds import RATE, tone
from tests.samples import operators_of, policies_of

OPERATORS = [name for name in operators_of("audio") if name != "Identity"]
TARGETS = ("torch", "audiomentations")
#: What operators draw besides their value.
RANDOM = {"WhiteNoise", "PinkNoise", "BackgroundNoise", "Reverberation", "ImpulseResponse", "BandPass", "Equalizer"} | {
    "FrequencyMask",
    "TimeMask",
    "TimeCrop",
    "TimeWarp",
}


def sound(samples: int = 2400) -> np.ndarray:
    """Two tones that grow, on a little hiss, float32 ``[T]``."""
    made = tone(300, samples / RATE, size=0.2) + tone(2500, samples / RATE, size=0.1)
    return (made * np.linspace(0.2, 1, samples) + np.random.default_rng(0).normal(0, 0.01, samples)).astype("float32")


def exported(policy: Policy, target: str, n: int) -> np.ndarray:
    """`n` draws of the exported module for one sound, ``[n, T]``."""
    module = loaded(policy, target)
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    if target == "torch":
        return module["Augment"]()(torch.from_numpy(sound()).repeat(n, 1, 1))[:, 0].numpy()
    augment = module["Augment"]()
    return np.stack([augment(sound(), RATE) for _ in range(n)])


def engines(policy: Policy, n: int) -> np.ndarray:
    """`n` draws of the policy, whose steps are applied one after another."""
    plan = draw_plan(policy, n, torch.Generator().manual_seed(1))
    values = torch.from_numpy(sound()).repeat(n, 1, 1)
    for step in range(len(plan.choice)):
        rows = slice(step, step + 1)
        values = apply_plan(Plan(plan.operators, plan.choice[rows], plan.magnitude[rows], plan.uniforms[rows]), values)
    return values[:, 0].numpy()


def check_same_distribution(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Check that two samples of augmented sounds change the sound alike."""
    half, window = len(sound()) // 2, np.hanning(len(sound()))

    def high(made: np.ndarray) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(made * window))[:, :600]  # to 4 kHz: hiss beyond is lost between two samples
        return (spectrum[:, 200:].sum(1) + 1e-6) / (spectrum.sum(1) + 1e-6)  # from 1.3 kHz on

    statistics: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "change": lambda made: np.abs(made - sound()).mean(1),
        "loudness": lambda made: made.std(1),
        "first half": lambda made: made[:, :half].std(1),
        "high tones": high,
    }
    for name, statistic in statistics.items():
        check_alike(statistic(ours), statistic(theirs), name, slack=2e-3)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", [name for name in OPERATORS if name not in RANDOM])
def test_sounds_are_those_of_the_operator(target: str, name: str) -> None:
    for magnitude, sign in ((0.3, "positive"), (0.8, "negative")):
        policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(magnitude, magnitude), sign=sign)))
        inner = slice(100, -100)  # audiomentations' filters go on differently beyond the ends
        ours, theirs = engines(policy, 1)[0, inner], exported(policy, target, 1)[0, inner]
        assert (np.abs(ours - theirs) < 2e-3).mean() > 0.99, f"{magnitude}, {sign}: {np.abs(ours - theirs).max()}"


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OPERATORS)
def test_draws_of_an_operator_have_its_distribution(target: str, name: str) -> None:
    """With a probability, a range, and both signs; noise also at a fixed ratio, which audiomentations has itself."""
    for low, high in ((0.0, 0.8), (0.3, 1.0), *([(0.5, 0.5)] if name.endswith("Noise") else [])):
        policy = Policy(layers=in_turn(Operation(operator=name, probability=0.7, magnitude=(low, high))))
        check_same_distribution(engines(policy, 500), exported(policy, target, 500))


FOUND = """
layers:
  - sub_policies: [{operations: [{operator: Polarity, probability: 0.5, magnitude: 1}]}]
  - sub_policies:
      - {weight: 3, operations: [{operator: TimeShift, probability: 0.6, magnitude: [0.1, 0.6], sign: positive}]}
      - {weight: 1, operations: [{operator: LowPass, magnitude: [0.3, 0.8]}, {operator: WhiteNoise, probability: 0.4}]}
      - {weight: 0, operations: [{operator: MuLaw, magnitude: 1}]}
      - {weight: 2, operations: []}
  - sub_policies: [{operations: [{operator: Gain, probability: 0.5, magnitude: [0.2, 0.5]}]}]
"""
BUILT_IN = {name: policy for name, policy in policies_of("audio").items() if policy.layers and not policy.mixing}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["found", *(pytest.param(name, marks=pytest.mark.slow) for name in BUILT_IN)])
def test_draws_of_a_policy_have_its_distribution(target: str, name: str) -> None:
    policy = parse_policy(FOUND) if name == "found" else BUILT_IN[name]
    n = 300 if name == "found" else 1000
    check_same_distribution(engines(policy, n), exported(policy, target, n))


def test_audiomentations_own_transforms_are_used() -> None:
    text = export_policy(parse_policy(FOUND), "audiomentations")
    for call in (
        "A.PolarityInversion(p=0.5)",
        "A.Shift(min_shift=0.05, max_shift=0.3, ",
        "A.LowPassFilter(",
        "A.Gain(",
    ):
        assert call in text
    fixed = Policy(layers=in_turn(Operation(operator="WhiteNoise", magnitude=(0.1, 0.1))))
    assert "A.AddGaussianSNR(20, 20, p=1)" in export_policy(fixed, "audiomentations")


@pytest.mark.parametrize(
    ("operators", "is_told"),
    [
        (["FrequencyMask", "FrequencyMask", "TimeMask", "TimeMask"], False),
        (["LowPass", "Tilt", "Speed"], False),
        (["Speed", "TimeShift"], True),
    ],
)
def test_only_movements_are_said_to_be_sampled_one_by_one(operators: list[str], is_told: bool) -> None:
    policy = Policy(layers=in_turn(*(Operation(operator=name, magnitude=(0.2, 0.2)) for name in operators)))
    assert ("Movements in a row" in export_policy(policy, "torch")) == is_told


def test_what_they_have_no_words_for_is_exported_exactly() -> None:
    masks = load_policy("specaugment-sm")
    mixed = masks.model_copy(update={"mixing": Mixing(kind="mixup", alpha=0.4)})
    chained = masks.model_copy(update={"chains": Chains(width=2)})
    for policy, reason in ((mixed, "torch does not mix by mixup"), (chained, "it blends chains")):
        assert not is_idiomatic(policy, "torch")
        assert f"{AS_EXACT} {reason}" in export_policy(policy, "torch")


@pytest.mark.parametrize("exact", [True, False])
def test_audiomentations_keeps_shapes_and_refuses_other_rates(exact: bool) -> None:
    policy = load_policy("specaugment-sm+speed")
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(policy, "audiomentations", exact=exact), "exported", "exec"), namespace)
    augment = namespace["Augment"]()
    for given in (sound(), np.stack([sound()] * 2)):
        made = augment(given, RATE)
        assert (made.shape, made.dtype) == (given.shape, given.dtype)
        assert not np.array_equal(made, given)
    with pytest.raises(ValueError, match=r"must be at 16000 Hz, .* not 44100"):
        augment(sound(), 44100)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LowPass", "HighPass", "TimeShift", "TimeMask"])
def test_sounds_of_few_samples_pass_the_filters_of_audiomentations(name: str) -> None:
    augment = loaded(Policy(layers=in_turn(Operation(operator=name, magnitude=0.3))), "audiomentations")["Augment"]()
    for shape in ((1,), (5,), (9,), (2, 5)):
        made = augment(np.full(shape, 0.2, "float32"), RATE)
        assert made.shape == shape
        assert np.abs(made).max() <= 1


@pytest.mark.slow
def test_modules_run_without_autoaug(tmp_path: Path) -> None:
    for target in TARGETS:
        (tmp_path / f"{target}_policy.py").write_text(export_policy(load_policy("specaugment-sm+speed"), target))
    code = """
import importlib.util, sys, numpy as np, torch
for name, given in (("torch", torch.rand(4, 1, 3000) - 0.5), ("audiomentations", np.random.rand(3000) - 0.5)):
    spec = importlib.util.spec_from_file_location("policy", f"{name}_policy.py")
    policy = importlib.util.module_from_spec(spec); spec.loader.exec_module(policy)
    assert policy.Augment()(given).shape == given.shape
assert not any(name.split(".")[0] == "autoaug" for name in sys.modules)
"""
    subprocess.run([sys.executable, "-I", "-c", code], check=True, cwd=tmp_path)


def test_lines_are_no_longer_than_usual() -> None:
    layers = tuple(layer for name in OPERATORS for layer in in_turn(Operation(operator=name, probability=0.123456)))
    for target in TARGETS:
        text = export_policy(Policy(layers=layers), target)
        assert re.search("^# Exported by", text, re.MULTILINE)
        assert max(map(len, text.splitlines())) <= 120
