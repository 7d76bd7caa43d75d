"""Exports in a library's own words: operators, probabilities, magnitudes and pixels are those of the policy.

The oracle is the engine, with steps applied one after another, as the libraries do. Draws are compared by statistics of
what they change, over thousands of them: two samples of one distribution pass the Kolmogorov-Smirnov test.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import ks_2samp
from torchvision import tv_tensors
from torchvision.transforms import v2

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.exporters import EXPORTERS, export_policy
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.samples import operators_of, photographs, policies_of

#: Smallest probability of a difference that a test lets pass as chance; there are a few hundred comparisons.
CHANCE = 1e-5
AS_EXACT = "As an exact module, since"


@cache
def image(square: bool = True) -> np.ndarray:
    """A photograph, uint8 ``[H, W, 3]``, with strong contrasts."""
    values = (photographs(1, size=(24, 24) if square else (20, 26))[0] * 255).to(torch.uint8)
    return values.permute(1, 2, 0).contiguous().numpy()


def loaded(policy: Policy, target: str) -> dict[str, Any]:
    """What the idiomatic module defines; skips policies that the library has no words for."""
    text = export_policy(policy, target)
    if AS_EXACT in text:
        pytest.skip(text.splitlines()[2])
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), namespace)  # the text under test
    return namespace


def by_torchvision(augment: Any, array: np.ndarray) -> np.ndarray:
    return augment(torch.from_numpy(array).permute(2, 0, 1)).permute(1, 2, 0).numpy()


def by_torchvision_on_pictures(augment: Any, array: np.ndarray) -> np.ndarray:
    return np.asarray(augment(Image.fromarray(array)))


#: How an instance of ``Augment`` takes one uint8 array, by the target's name and the kind of input.
TAKES: dict[tuple[str, str], Callable[[Any, np.ndarray], np.ndarray]] = {
    ("torchvision", "tensors"): by_torchvision,
    ("torchvision", "pictures"): by_torchvision_on_pictures,
}
BOTH = [pytest.param(*key, id="-".join(key)) for key in TAKES]
MAIN = [target for target, kind in TAKES if kind != "pictures"]


def exported(policy: Policy, target: str, kind: str, array: np.ndarray, n: int) -> np.ndarray:
    """`n` draws of the exported module for one image, in [0, 1]."""
    augment = loaded(policy, target)["Augment"]()
    torch.manual_seed(0)
    return np.stack([TAKES[target, kind](augment, array) for _ in range(n)]).astype("float32") / 255


def engines(policy: Policy, array: np.ndarray, n: int) -> np.ndarray:
    """`n` draws of the policy, whose steps are applied one after another."""
    plan = draw_plan(policy, n, torch.Generator().manual_seed(1))
    values = torch.from_numpy(array).permute(2, 0, 1).float().expand(n, -1, -1, -1) / 255
    for step in range(len(plan.choice)):
        rows = slice(step, step + 1)
        one = Plan(plan.operators, plan.choice[rows], plan.magnitude[rows], plan.uniforms[rows])
        values = apply_plan(one, (values * 255).round() / 255)
    return values.permute(0, 2, 3, 1).numpy()


def check_same_distribution(ours: np.ndarray, theirs: np.ndarray, array: np.ndarray) -> None:
    """Check that two samples of augmented images change the image alike."""
    original = array.astype("float32") / 255
    statistics = {
        "change": lambda made: np.abs(made - original).mean((1, 2, 3)),
        "brightness": lambda made: (made - original).mean((1, 2, 3)),
        "left and right": lambda made: (made - original)[:, :, : array.shape[1] // 2].mean((1, 2, 3)),
        "top and bottom": lambda made: (made - original)[:, : array.shape[0] // 2].mean((1, 2, 3)),
        "contrast": lambda made: made.std((1, 2, 3)),
    }
    for name, statistic in statistics.items():
        own, their = (np.round(statistic(made) * 255) for made in (ours, theirs))  # not by the last digits
        chance = ks_2samp(own, their).pvalue
        assert chance > CHANCE, f"{name}: {np.quantile(own, [0.1, 0.5, 0.9])} and {np.quantile(their, [0.1, 0.5, 0.9])}"


WORDED = {
    target: [
        name
        for name in operators_of()
        if AS_EXACT not in export_policy(Policy(layers=in_turn(Operation(operator=name))), target)
    ]
    for target in MAIN
}
CASES = [
    pytest.param(target, kind, name, id=f"{target}-{kind}-{name}")
    for target, kind in TAKES
    for name in WORDED[target]
    if name != "Identity"
]
RANDOM = {"Cutout", "PadCrop", "RandomResizedCrop", "GaussianNoise", "QuarterTurn"}


@pytest.mark.parametrize(("target", "kind", "name"), CASES)
def test_pixels_are_those_of_the_operator(target: str, kind: str, name: str) -> None:
    """At fixed values, for operators that draw nothing else."""
    if name in RANDOM:
        return
    for magnitude, sign, square in itertools.product((0.25, 0.5, 1.0), ("positive", "negative"), (True, False)):
        policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(magnitude, magnitude), sign=sign)))
        if AS_EXACT in export_policy(policy, target):
            continue
        array = image(square)
        difference = np.abs(engines(policy, array, 1)[0] - exported(policy, target, kind, array, 1)[0])
        inside = difference[2:-2, 2:-2]  # libraries differ in how they blend the border with what lies beyond
        assert (inside <= 2.01 / 255).mean() > 0.97, f"{magnitude}, {sign}: {np.sort(inside.ravel())[::-200] * 255}"
        assert difference.mean() < 0.02, f"{magnitude}, {sign}"


@pytest.mark.parametrize(("target", "kind", "name"), CASES)
def test_draws_of_an_operator_have_its_distribution(target: str, kind: str, name: str) -> None:
    """With a probability, a range, and both signs."""
    array = image(square=name != "QuarterTurn")
    for low, high in ((0.0, 0.8), (0.3, 1.0)):
        policy = Policy(layers=in_turn(Operation(operator=name, probability=0.7, magnitude=(low, high))))
        check_same_distribution(engines(policy, array, 250), exported(policy, target, kind, array, 250), array)


BUILT_IN = {name: policy for name, policy in policies_of().items() if not policy.mixing and policy.layers}
FOUND = """
layers:
  - sub_policies: [{operations: [{operator: HorizontalFlip, probability: 0.5, magnitude: 1}]}]
  - sub_policies:
      - {weight: 3, operations: [{operator: Rotate, probability: 0.6, magnitude: [0.02, 0.1], sign: positive}]}
      - {weight: 1, operations: [{operator: Contrast, magnitude: [0.2, 0.6]}, {operator: Solarize, probability: 0.4}]}
      - {weight: 0, operations: [{operator: Invert, magnitude: 1}]}
      - {weight: 2, operations: []}
  - sub_policies: [{operations: [{operator: Brightness, probability: 0.5, magnitude: [0, 0.3]}]}]
"""


@pytest.mark.parametrize("target", MAIN)
@pytest.mark.parametrize("name", [*BUILT_IN, "found"])
def test_draws_of_a_policy_have_its_distribution(target: str, name: str) -> None:
    policy, array = parse_policy(FOUND) if name == "found" else BUILT_IN[name], image(square=False)
    kind = next(kind for other, kind in TAKES if other == target)
    check_same_distribution(engines(policy, array, 1000), exported(policy, target, kind, array, 1000), array)
