"""Exports in a library's own words: operators, probabilities, magnitudes and pixels are those of the policy.

The oracle is the engine, with steps applied one after another, as the libraries do. Draws are compared by statistics of
what they change, over thousands of them, by Kolmogorov and Smirnov's test.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.exporters import export_policy, is_idiomatic
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Layer, Operation, Policy, SubPolicy, in_turn
from tests.idiomatic import AS_EXACT, check_alike, image, loaded
from tests.samples import operators_of, policies_of

Transform = Callable[[np.ndarray], np.ndarray]


def in_torchvision(module: dict[str, Any]) -> Transform:
    augment = module["Augment"]()
    torch.manual_seed(0)
    return one_by_one(lambda array: augment(torch.from_numpy(array).permute(2, 0, 1)).permute(1, 2, 0).numpy())


def on_pictures(module: dict[str, Any]) -> Transform:
    augment = module["Augment"]()
    torch.manual_seed(0)
    return one_by_one(lambda array: np.asarray(augment(Image.fromarray(array))))


def in_albumentations(module: dict[str, Any]) -> Transform:
    augment = module["A"].Compose([module["Augment"]()], seed=0)
    return one_by_one(lambda array: augment(image=array)["image"])


def in_numpy(module: dict[str, Any]) -> Transform:
    return module["Augment"](seed=0)


def without_opencv(module: dict[str, Any]) -> Transform:
    module["cv2"] = None
    return in_numpy(module)


def in_kornia(module: dict[str, Any]) -> Transform:
    augment = module["Augment"]()
    torch.manual_seed(0)
    return lambda arrays: augment(torch.from_numpy(arrays).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).numpy()


def in_keras(module: dict[str, Any]) -> Transform:
    module["keras"].utils.set_random_seed(0)
    augment, ops = module["Augment"](), module["ops"]
    return lambda arrays: ops.convert_to_numpy(augment(ops.convert_to_tensor(arrays), training=True))


def one_by_one(transform: Transform) -> Transform:
    return lambda arrays: np.stack([transform(array) for array in arrays])


#: How a module takes uint8 arrays ``[n, H, W, C]``, by the target's name and the kind of input.
TAKES: dict[tuple[str, str], Callable[[dict[str, Any]], Transform]] = {
    ("torchvision", "tensors"): in_torchvision,
    ("torchvision", "pictures"): on_pictures,
    ("albumentations", "arrays"): in_albumentations,
    ("numpy", "arrays"): in_numpy,
    ("numpy", "without OpenCV"): without_opencv,
    ("kornia", "tensors"): in_kornia,
    ("keras", "arrays"): in_keras,
}
#: What Pillow does: it rounds more, and does not blend the border with black.
BY_PILLOW = ("pictures", "without OpenCV")
MAIN = [target for target, kind in TAKES if kind not in BY_PILLOW]


def test_sequences_of_albumentations_are_not_in_sequences_of_their_own() -> None:
    text = "".join(export_policy(load_policy("autoaugment-cifar10"), "albumentations").split())
    assert "A.OneOf([A.Sequential([" in text
    assert "A.Sequential([A.Sequential([" not in text


def exported(policy: Policy, target: str, kind: str, array: np.ndarray, n: int) -> np.ndarray:
    """`n` draws of the exported module for one image, in [0, 1]."""
    augment = TAKES[target, kind](loaded(policy, target))
    return augment(array[None].repeat(n, 0)).astype("float32") / 255


def engines(policy: Policy, array: np.ndarray, n: int) -> np.ndarray:
    """`n` draws of the policy, whose steps are applied one after another."""
    plan = draw_plan(policy, n, torch.Generator().manual_seed(1))
    values = torch.from_numpy(array).permute(2, 0, 1).float().expand(n, -1, -1, -1) / 255
    for step in range(len(plan.choice)):
        rows = slice(step, step + 1)
        one = Plan(plan.operators, plan.choice[rows], plan.magnitude[rows], plan.uniforms[rows])
        values = apply_plan(one, (values * 255).round() / 255)
    return values.permute(0, 2, 3, 1).numpy()


def check_same_distribution(ours: np.ndarray, theirs: np.ndarray, array: np.ndarray, slack: float = 1.0) -> None:
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
        own, their = (statistic(made) * 255 for made in (ours, theirs))
        check_alike(own, their, name, slack)


WORDED = {
    target: [name for name in operators_of() if is_idiomatic(Policy(layers=in_turn(Operation(operator=name))), target)]
    for target in MAIN
}
#: Keras takes a second to make a module; other targets' operators are all seen in the quick share.
QUICK_IN_KERAS = ("Contrast", "Equalize", "Rotate")
CASES = [
    pytest.param(
        *(target, kind, name),
        id=f"{target}-{kind}-{name}",
        marks=[pytest.mark.slow] if target == "keras" and name not in QUICK_IN_KERAS else [],
    )
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
        if not is_idiomatic(policy, target):
            continue
        array = image(square)
        difference = np.abs(engines(policy, array, 1)[0] - exported(policy, target, kind, array, 1)[0])
        if operators_of()[name].kind in ("warp", "projection"):  # libraries differ in how they blend the border
            covered = engines(policy, np.full_like(array, 255), 1)[0]
            difference = difference[(covered < 0.01) | (covered > 0.99)]
        most = {"Hue": 12, "GaussianBlur": 3}.get(name, 2)  # pictures have 256 hues
        assert (difference <= (most + 0.01) / 255).mean() > 0.97, f"{magnitude}, {sign}: {difference.max() * 255}"


@pytest.mark.parametrize("channels", [2, 6])
@pytest.mark.parametrize("name", ["Saturation", "Grayscale", "Contrast"])
@pytest.mark.parametrize(("target", "kind"), [case for case in TAKES if case[0] in ("numpy", "kornia")])
def test_gray_is_the_mean_of_channels_that_are_not_three(target: str, kind: str, name: str, channels: int) -> None:
    """Saturation and Grayscale had no effect on such images."""
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(0.5, 0.5), sign="negative")))
    array = (image().repeat(2, 2)[..., :channels] * np.linspace(0.3, 1, channels)).astype(np.uint8)
    difference = np.abs(engines(policy, array, 1)[0] - exported(policy, target, kind, array, 1)[0])
    assert difference.max() <= 2.01 / 255


@pytest.mark.parametrize("magnitude", [0.5, 1.0])
@pytest.mark.parametrize("name", ["AutoContrast", "Equalize"])
@pytest.mark.parametrize(("target", "kind"), TAKES)
def test_flat_channels_stay(target: str, kind: str, name: str, magnitude: float) -> None:
    """As in Pillow; Kornia's own AutoContrast makes them black."""
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(magnitude, magnitude))))
    array = np.full((8, 10, 3), (60, 255, 130), np.uint8)
    assert np.abs(exported(policy, target, kind, array, 1)[0] - array / 255).max() <= 1.01 / 255


@pytest.mark.slow
@pytest.mark.parametrize(("target", "kind", "name"), CASES)
def test_draws_of_an_operator_have_its_distribution(target: str, kind: str, name: str) -> None:
    """With a probability, a range, and both signs."""
    array = image(square=name != "QuarterTurn")
    for low, high in ((0.0, 0.8), (0.3, 1.0)):
        policy = Policy(layers=in_turn(Operation(operator=name, probability=0.7, magnitude=(low, high))))
        ours, theirs = engines(policy, array, 600), exported(policy, target, kind, array, 600)
        check_same_distribution(ours, theirs, array, slack=3.0 if kind in BY_PILLOW else 1.0)


BUILT_IN = {
    name: policy for name, policy in policies_of().items() if not policy.mixing and policy.layers and not policy.chains
}
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


FEW = [pytest.param(name, 400, id=f"{name}-few") for name in ("trivialaugment-wide", "found")]
MANY = [pytest.param(name, 2000, id=name, marks=pytest.mark.slow) for name in ("found", *BUILT_IN)]


@pytest.mark.parametrize("target", MAIN)
@pytest.mark.parametrize(("name", "draws"), [*FEW, *MANY])
def test_draws_of_a_policy_have_its_distribution(target: str, name: str, draws: int) -> None:
    policy, array = parse_policy(FOUND) if name == "found" else BUILT_IN[name], image(square=False)
    kind = next(kind for other, kind in TAKES if other == target)
    draws = min(draws, 400) if target == "keras" else draws  # it takes seconds for a hundred
    check_same_distribution(engines(policy, array, draws), exported(policy, target, kind, array, draws), array)


@pytest.mark.parametrize(
    ("target", "name", "most"),
    [
        ("torchvision", "trivialaugment-wide", 47),
        ("torchvision", "randaugment", 42),
        ("torchvision", "autoaugment-imagenet", 45),
        ("albumentations", "trivialaugment-wide", 85),
        ("albumentations", "randaugment", 99),
        ("kornia", "trivialaugment-wide", 75),
        ("kornia", "randaugment", 84),
        ("keras", "trivialaugment-wide", 116),
        ("keras", "randaugment", 128),
    ],
)
def test_modules_are_short(target: str, name: str, most: int) -> None:
    assert len([line for line in export_policy(load_policy(name), target).splitlines() if line.strip()]) <= most


def test_one_of_two_values_is_one_expression() -> None:
    brightened = Policy(layers=in_turn(Operation(operator="Brightness", magnitude=(0.5, 0.5), probability=0.4)))
    jitters = (f"A.ColorJitter(brightness=({x}, {x}), contrast=0, saturation=0, hue=0, p=1)" for x in (0.5, 1.5))
    for target, call in {
        "kornia": "RandomApply([Either(E.adjust_brightness_accumulative, factor=(0.5, 1.5))], p=0.4)",
        "keras": "RandomApply([Either(brightness, factor=(0.5, 1.5))], p=0.4)",
        "numpy": "Either(brightness, p=0.4, factor=(0.5, 1.5))",
        "albumentations": f"A.OneOf([{','.join(jitters)},],p=0.4)".replace(" ", ""),
    }.items():
        assert call.replace(" ", "") in "".join(export_policy(brightened, target).split())


@pytest.mark.parametrize("target", MAIN)
def test_lines_are_no_longer_than_usual(target: str) -> None:
    crop = Operation(operator="RandomResizedCrop", probability=0.123456, magnitude=(0.123456, 0.654321))
    several = SubPolicy(operations=(crop, Operation(operator="Invert", probability=0.1), crop), weight=0.123456)
    layer = Layer(sub_policies=(*[several] * 30, SubPolicy(operations=(crop,))))
    text = export_policy(Policy(layers=(layer, *in_turn(crop))), target)
    assert AS_EXACT not in text
    assert max(map(len, text.splitlines())) <= 120
    loaded(Policy(layers=(layer, *in_turn(crop))), target)["Augment"]()


def test_layers_that_repeat_are_written_once() -> None:
    layers = Policy(layers=in_turn(*[Operation(operator="Solarize", probability=0.5)] * 3))
    assert export_policy(layers, "numpy").count("Random(solarize") == 1


def test_a_policy_that_is_the_librarys_own_is_called_so() -> None:
    names = {
        "randaugment": "v2.RandAugment(num_ops=2, magnitude=9, ",
        "flip-crop+randaugment(3,5)": "v2.RandAugment(num_ops=3, magnitude=5, ",
        "autoaugment-svhn": "v2.AutoAugment(v2.AutoAugmentPolicy.SVHN, ",
    }
    for name, call in names.items():
        assert call in export_policy(load_policy(name), "torchvision")


EXAMPLES = Path(__file__).parents[2] / "examples/exported"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_the_examples_are_what_is_exported(path: Path) -> None:
    """Their first lines tell how they were made; ``autoaug export`` makes them again."""
    name = re.search("^# Augmentation policy '(.*?)'", path.read_text()).group(1)
    policy = load_policy(EXAMPLES.parents[1] / "reports/cifar-2k-auto/policy.yaml" if name == "found" else name)
    target = path.stem.split("_")[0]
    text = export_policy(policy.model_copy(update={"name": name}), target, approximate=True)
    assert path.read_text() == text


@pytest.mark.parametrize("name", ["augmix", "flip-crop"])
def test_what_a_library_has_no_words_for_is_exported_exactly_and_says_why(name: str) -> None:
    policy = load_policy(name)
    if name == "flip-crop":
        policy = policy.model_copy(update={"layers": (*policy.layers, *in_turn(Operation(operator="JPEG")))})
    text = export_policy(policy, "torchvision")
    reason = "it blends chains" if name == "augmix" else "torchvision has no JPEG"
    assert re.search(f"^# {AS_EXACT} {reason}", text, re.MULTILINE)
    assert text.splitlines()[3:] == export_policy(policy, "torchvision", exact=True).splitlines()[2:]
