"""Exports in a library's own words: operators, probabilities, magnitudes and pixels are those of the policy.

The oracle is the engine, with steps applied one after another, as the libraries do. Draws are compared by statistics of
what they change, over thousands of them, by Kolmogorov and Smirnov's test.
"""

from __future__ import annotations

import importlib
import itertools
import math
import pickle
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.exporters import export_policy, is_idiomatic
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Mixing, Operation, Policy, in_turn
from tests.samples import operators_of, photographs, policies_of

#: Smallest probability of a difference that a test lets pass as chance; there are a few hundred comparisons.
CHANCE = 1e-5
Transform = Callable[[np.ndarray], np.ndarray]
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


def in_torchvision(module: dict[str, Any]) -> Transform:
    augment = module["Augment"]()
    torch.manual_seed(0)
    return lambda array: augment(torch.from_numpy(array).permute(2, 0, 1)).permute(1, 2, 0).numpy()


def on_pictures(module: dict[str, Any]) -> Transform:
    augment = module["Augment"]()
    torch.manual_seed(0)
    return lambda array: np.asarray(augment(Image.fromarray(array)))


def in_albumentations(module: dict[str, Any]) -> Transform:
    augment = module["A"].Compose([module["Augment"]()], seed=0)
    return lambda array: augment(image=array)["image"]


#: How a module takes one uint8 array, by the target's name and the kind of input.
TAKES: dict[tuple[str, str], Callable[[dict[str, Any]], Transform]] = {
    ("torchvision", "tensors"): in_torchvision,
    ("torchvision", "pictures"): on_pictures,
    ("albumentations", "arrays"): in_albumentations,
}
MAIN = [target for target, kind in TAKES if kind != "pictures"]


def exported(policy: Policy, target: str, kind: str, array: np.ndarray, n: int) -> np.ndarray:
    """`n` draws of the exported module for one image, in [0, 1]."""
    augment = TAKES[target, kind](loaded(policy, target))
    return np.stack([augment(array) for _ in range(n)]).astype("float32") / 255


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
        apart = max(beyond(own, their, slack), beyond(their, own, slack))
        most = math.sqrt(
            math.log(2 / CHANCE) * (1 / len(own) + 1 / len(their)) / 2
        )  # of two samples of one distribution
        shown = [np.quantile(values, [0.05, 0.5, 0.95]).round(1) for values in (own, their)]
        assert apart < most, f"{name}: {apart:.3f} of the draws are elsewhere; {shown[0]} and {shown[1]}"


def beyond(first: np.ndarray, second: np.ndarray, slack: float) -> float:
    """The one-sided Kolmogorov-Smirnov distance of two samples, beyond the `slack` for rounding."""
    places = np.sort(first)
    below = [
        np.searchsorted(np.sort(values), at, side="right") / len(values)
        for values, at in ((first, places), (second, places + slack))
    ]
    return float((below[0] - below[1]).max())


WORDED = {
    target: [name for name in operators_of() if is_idiomatic(Policy(layers=in_turn(Operation(operator=name))), target)]
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
        if not is_idiomatic(policy, target):
            continue
        array = image(square)
        difference = np.abs(engines(policy, array, 1)[0] - exported(policy, target, kind, array, 1)[0])
        if operators_of()[name].kind in ("warp", "projection"):  # libraries differ in how they blend the border
            covered = engines(policy, np.full_like(array, 255), 1)[0]
            difference = difference[(covered < 0.01) | (covered > 0.99)]
        most = {"Hue": 12, "GaussianBlur": 3}.get(name, 2)  # pictures have 256 hues
        assert (difference <= (most + 0.01) / 255).mean() > 0.97, f"{magnitude}, {sign}: {difference.max() * 255}"


@pytest.mark.slow
@pytest.mark.parametrize(("target", "kind", "name"), CASES)
def test_draws_of_an_operator_have_its_distribution(target: str, kind: str, name: str) -> None:
    """With a probability, a range, and both signs."""
    array = image(square=name != "QuarterTurn")
    for low, high in ((0.0, 0.8), (0.3, 1.0)):
        policy = Policy(layers=in_turn(Operation(operator=name, probability=0.7, magnitude=(low, high))))
        ours, theirs = engines(policy, array, 1000), exported(policy, target, kind, array, 1000)
        check_same_distribution(ours, theirs, array, slack=3.0 if kind == "pictures" else 1.0)


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


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in BUILT_IN if name != "trivialaugment-wide"]


@pytest.mark.parametrize("target", MAIN)
@pytest.mark.parametrize("name", ["trivialaugment-wide", "found", *SLOW])
def test_draws_of_a_policy_have_its_distribution(target: str, name: str) -> None:
    policy, array = parse_policy(FOUND) if name == "found" else BUILT_IN[name], image(square=False)
    kind = next(kind for other, kind in TAKES if other == target)
    check_same_distribution(engines(policy, array, 2000), exported(policy, target, kind, array, 2000), array)


@pytest.mark.parametrize(
    ("target", "name", "most"),
    [
        ("torchvision", "trivialaugment-wide", 80),
        ("torchvision", "randaugment", 45),
        ("torchvision", "autoaugment-imagenet", 45),
        ("albumentations", "trivialaugment-wide", 125),
    ],
)
def test_modules_are_short(target: str, name: str, most: int) -> None:
    assert len([line for line in export_policy(load_policy(name), target).splitlines() if line.strip()]) <= most


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


REFUSED = {
    "palette": Image.new("P", (8, 8)),
    "print": Image.new("CMYK", (8, 8)),
    "deep": Image.new("I;16", (8, 8)),
    "0 to 255": torch.linspace(0, 255, 192).view(3, 8, 8),
    "normalized": torch.linspace(-2, 2, 192).view(3, 8, 8),
    "not finite": torch.full((3, 8, 8), float("nan")),
    "integers": torch.zeros(3, 8, 8, dtype=torch.int64) + 7,
    "a batch": torch.zeros(2, 3, 8, 8, dtype=torch.uint8),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_images_that_would_be_misread_are_refused(given: Any) -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "torchvision")["Augment"]()
    for sample in ((given,), (given, torch.tensor(3)), ({"label": torch.tensor(3.0), "image": given},)):
        if isinstance(sample[0], dict) and isinstance(given, torch.Tensor):
            sample[0]["image"] = tv_tensors.Image(given)
        with pytest.raises(ValueError, match=r"an image must be an L or RGB picture, or \[C, H, W\] in uint8"):
            augment(*sample)
    with pytest.raises(ValueError, match="there is no picture and no tensor"):
        augment(image())


def test_a_module_runs_in_full_precision_under_autocast() -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "torchvision")["Augment"]()
    for values in (torch.from_numpy(image()).permute(2, 0, 1), photographs(1)[0]):
        made = []
        for enabled in (False, True):
            torch.manual_seed(0)
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                made.append(torch.stack([augment(values) for _ in range(40)]))
        assert torch.equal(*made)


@pytest.mark.parametrize(
    "name",
    sorted(
        o.name for o in operators_of().values() if o.name in WORDED["torchvision"] and o.kind in {"warp", "projection"}
    ),
)
def test_boxes_masks_and_key_points_move_with_the_image(name: str) -> None:
    policy = Policy(
        layers=in_turn(
            Operation(
                operator=name, magnitude=(1.0, 1.0) if operators_of()[name].is_switch else (0.2, 0.2), sign="positive"
            )
        )
    )
    size = (24, 24)
    target = {
        "boxes": tv_tensors.BoundingBoxes(torch.tensor([[3.0, 4.0, 12.0, 15.0]]), format="XYXY", canvas_size=size),
        "points": tv_tensors.KeyPoints(torch.tensor([[9.0, 10.0]]), canvas_size=size),
    }
    spot = torch.zeros(3, *size, dtype=torch.uint8)
    spot[:, 9:12, 8:11] = 255  # around the point
    augment = loaded(policy, "torchvision")["Augment"]()
    for seed in range(5):
        torch.manual_seed(seed)
        made, moved = augment(tv_tensors.Image(spot), target)
        y, x = (made[0] > 127).nonzero().double().mean(0) + 0.5
        np.testing.assert_allclose(moved["points"][0], [x, y], atol=1.6)


def test_labels_and_images_are_mixed_by_the_librarys_own() -> None:
    policy = load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind="mixup-or-cutmix", alpha=0.3)})
    module = loaded(policy, "torchvision")
    mixing, labels, images = module["mixing"](5), torch.arange(4), photographs(4)
    kept = []
    for _ in range(200):
        mixed, soft = mixing(images, labels)
        assert mixed.shape == images.shape
        torch.testing.assert_close(soft.sum(1), torch.ones(4))
        kept.append(float(soft[0, 0]))
    assert 0.4 < np.mean(kept) < 0.75
    assert "ResizeMix" not in module
    resize = policy.model_copy(update={"mixing": Mixing(kind="resizemix")})
    assert f"{AS_EXACT} torchvision does not mix by resizemix" in export_policy(resize, "torchvision")


def test_a_module_travels_to_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "idiomatic_sent.py").write_text(export_policy(load_policy("trivialaugment-wide"), "torchvision"))
    augment = importlib.import_module("idiomatic_sent").Augment()
    received, picture = pickle.loads(pickle.dumps(augment)), Image.fromarray(image())
    made = []
    for one in (augment, received, v2.Compose([received, v2.Identity()])):
        torch.manual_seed(3)
        made.append([one(picture).tobytes() for _ in range(10)])
    assert made[0] == made[1] == made[2]
    assert len(set(made[0])) > 5


ARRAYS = {
    "0 to 255": np.linspace(0, 255, 192, dtype=np.float32).reshape(8, 8, 3),
    "normalized": np.linspace(-2, 2, 192, dtype=np.float32).reshape(8, 8, 3),
    "not finite": np.full((8, 8, 3), np.nan, np.float32),
    "deep": np.zeros((8, 8), np.uint16),
    "a batch": np.zeros((4, 8, 8, 3), np.uint8),
}


@pytest.mark.parametrize("given", ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_would_be_misread_are_refused(given: np.ndarray) -> None:
    augment = loaded(load_policy("trivialaugment-wide"), "albumentations")["Augment"]()
    with pytest.raises(ValueError, match=r"images must be \[H, W, C\] or \[H, W\], uint8 or floats"):
        augment(image=given)


def test_steps_draw_for_themselves_in_albumentations_and_a_seed_repeats_them() -> None:
    """With a seed, albumentations 2.0.8 gives each transform the same numbers."""
    module = loaded(load_policy("flip-crop+trivialaugment-wide"), "albumentations")
    compose, picture = module["A"].Compose, np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:], picture[14:18, 14:18] = 60, 255
    made = []
    for _ in range(2):
        augment = compose([module["Augment"]()], seed=4)
        made.append(np.stack([augment(image=picture)["image"] for _ in range(300)]))
    assert (made[0] == made[1]).all()
    flipped = made[0][:, 16, 4, 0] > made[0][:, 16, 28, 0]
    unchanged = (made[0][:, 12:20, 12:20] == 255).any((1, 2, 3))
    assert 0.3 < flipped.mean() < 0.7
    assert unchanged.mean() > 0.4


@pytest.mark.parametrize("shape", [(24, 20), (24, 20, 1), (24, 20, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_albumentations_keeps_shapes_and_types(shape: tuple[int, ...], dtype: Any) -> None:
    module = loaded(load_policy("uniformaugment"), "albumentations")
    augment = module["A"].Compose([module["Augment"]()], seed=1)
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    given = array if dtype is np.uint8 else (array / 255).astype(dtype)
    made = [augment(image=given)["image"] for _ in range(80)]
    assert {(one.shape, one.dtype.type) for one in made} == {(shape, dtype)}
    assert all(one.min() >= 0 and one.max() <= (255 if dtype is np.uint8 else 1) for one in made)


@pytest.mark.parametrize("name", ["ShearX", "TranslateY", "Rotate", "PadCrop", "Scale", "HorizontalFlip", "Transpose"])
def test_masks_and_key_points_move_in_albumentations(name: str) -> None:
    magnitude = (1.0, 1.0) if operators_of()[name].is_switch else (0.2, 0.2)
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=magnitude, sign="positive")))
    module, spot = loaded(policy, "albumentations"), np.zeros((24, 24, 3), np.uint8)
    spot[9:12, 8:11] = 255
    points = module["A"].KeypointParams("xy", remove_invisible=False)
    augment = module["A"].Compose([module["Augment"]()], seed=2, keypoint_params=points)
    made = augment(image=spot, mask=spot[..., 0], keypoints=[(9.0, 10.0)])
    y, x = np.argwhere(made["image"][..., 0] > 127).mean(0)
    np.testing.assert_allclose(made["keypoints"][0], [x, y], atol=0.7)
    np.testing.assert_allclose(np.argwhere(made["mask"] > 127).mean(0), [y, x], atol=0.7)


class Views(Dataset):
    """What an albumentations module makes of one image."""

    def __init__(self, augment: Any) -> None:
        self.augment = augment

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> np.ndarray:
        return self.augment(image=image())["image"]


def test_workers_of_a_loader_draw_for_themselves_in_albumentations() -> None:
    module = loaded(load_policy("randaugment"), "albumentations")
    augment = module["A"].Compose([module["Augment"]()], seed=3)
    epochs = []
    for seed in (1, 2, 1):
        loader = DataLoader(Views(augment), 4, num_workers=2, generator=torch.Generator().manual_seed(seed))
        epochs.append(torch.cat(list(loader)))
    assert len({view.numpy().tobytes() for epoch in epochs[:2] for view in epoch}) > 12
    assert torch.equal(epochs[0], epochs[2])
