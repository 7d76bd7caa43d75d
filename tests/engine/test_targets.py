"""Boxes, masks and key-points move with the image; torchvision is the oracle if it has the transform."""

from __future__ import annotations

from collections import OrderedDict, UserDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.engine.targets import move_targets
from autoaug.errors import AutoaugError
from autoaug.modalities.base import Batch
from autoaug.modalities.operators import get_operator
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Operation, Policy, in_turn
from tests.conformance.test_exporters import loaded, photographs
from tests.samples import operators_of

SIZE = (40, 60)
MOVING = sorted(o.name for o in operators_of().values() if o.kind in {"warp", "projection", "field"})


def plan_of(*steps: tuple[str, float]) -> Plan:
    names = tuple(name for name, _ in steps)
    uniforms = torch.rand(len(steps), 1, 4, generator=torch.Generator().manual_seed(1))
    choice = torch.arange(len(steps))[:, None]
    return Plan(names, choice, torch.tensor([[m] for _, m in steps]), uniforms)


def boxes(*rows: tuple[float, ...], kind: str = "XYXY") -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(torch.tensor(rows), format=kind, canvas_size=SIZE)


def moved(plan: Plan, target: Any) -> Any:
    return move_targets(plan, 0, target, Batch(torch.empty(1, 3, *SIZE)))


def test_flips_agree_with_torchvision() -> None:
    given = boxes((5.0, 8.0, 20.0, 30.0), (0.0, 0.0, 60.0, 40.0))
    torch.testing.assert_close(moved(plan_of(("HorizontalFlip", 1.0)), given), F.horizontal_flip(given))
    torch.testing.assert_close(moved(plan_of(("VerticalFlip", 1.0)), given), F.vertical_flip(given))


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
def test_flipped_key_points_agree_with_torchvision(dtype: torch.dtype) -> None:
    given = tv_tensors.KeyPoints(torch.tensor([[0, 0], [5, 8], [59, 39]], dtype=dtype), canvas_size=SIZE)
    torch.testing.assert_close(moved(plan_of(("HorizontalFlip", 1.0)), given), F.horizontal_flip(given))
    torch.testing.assert_close(moved(plan_of(("VerticalFlip", 1.0)), given), F.vertical_flip(given))


@pytest.mark.parametrize("kind", ["XYXY", "XYWH", "CXCYWH"])
def test_rotated_boxes_agree_with_torchvision(kind: str) -> None:
    given = F.convert_bounding_box_format(boxes((20.0, 12.0, 34.0, 25.0)), new_format=kind)
    theirs = F.rotate(given, 20.0)
    torch.testing.assert_close(moved(plan_of(("Rotate", 20 / 180)), given), theirs, atol=0.05, rtol=0)


def test_masks_agree_with_torchvision_and_keep_their_labels() -> None:
    mask = tv_tensors.Mask((photographs(1, 1, SIZE)[0] * 4).round().to(torch.uint8))
    ours = moved(plan_of(("Rotate", 20 / 180)), mask)
    theirs = F.rotate(mask, 20.0, InterpolationMode.NEAREST)
    assert ours.dtype == torch.uint8
    assert (ours == theirs).float().mean() > 0.99
    assert isinstance(ours, tv_tensors.Mask)


@pytest.mark.parametrize("name", MOVING)
def test_a_spot_and_its_key_point_mask_and_box_stay_together(name: str) -> None:
    """The image itself is the oracle: a bright spot is found again where its key-point, mask and box say."""
    x, y = 36, 14
    image = torch.zeros(1, 1, *SIZE)
    image[..., y - 2 : y + 3, x - 2 : x + 3] = 1
    plan = plan_of((name, 1.0 if get_operator(name).is_switch else 0.25), ("Rotate", 0.05))
    after = apply_plan(plan, image)[0, 0]
    total = after.sum()
    assert total > 5, "the spot is still in the frame"
    rows, columns = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    center = torch.stack([(after * columns).sum(), (after * rows).sum()]) / total
    target = {
        "points": tv_tensors.KeyPoints(torch.tensor([[float(x), float(y)]]), canvas_size=SIZE),
        "mask": tv_tensors.Mask((image[0] > 0.5).to(torch.uint8)),
        "boxes": boxes((x - 2.0, y - 2.0, x + 3.0, y + 3.0)),
        "label": 7,
    }
    result = moved(plan, target)
    if name != "PatchShuffle":  # which may cut the spot in two
        assert (result["points"][0] - center).abs().max() < 1.5
    assert ((result["mask"][0] > 0) != (after > 0.5)).float().mean() < 0.01
    left, top, right, bottom = result["boxes"][0].tolist()
    inside = after[max(int(top) - 1, 0) : int(bottom) + 2, max(int(left) - 1, 0) : int(right) + 2]
    assert inside.sum() > 0.95 * total
    assert result["label"] == 7


def test_boxes_are_cut_off_at_the_border_and_none_is_lost() -> None:
    result = moved(plan_of(("TranslateX", 0.5)), boxes((40.0, 5.0, 58.0, 20.0), (0.0, 0.0, 40.0, 40.0)))
    assert result.tolist() == [[60.0, 5.0, 60.0, 20.0], [30.0, 0.0, 60.0, 40.0]]
    assert moved(plan_of(("Elastic", 0.3)), boxes((1.0, 1.0, 2.0, 2.0))[:0].reshape(0, 4)).shape == (0, 4)


def test_the_module_takes_samples_and_batches_with_targets() -> None:
    policy = load_policy("flip-crop+randaugment")
    image = tv_tensors.Image(photographs(1, 3, SIZE)[0])
    target = {"boxes": boxes((5.0, 8.0, 20.0, 30.0)), "labels": torch.tensor([3])}
    out, after = policy.transform(seed=3)(image, target)
    assert isinstance(out, tv_tensors.Image)
    assert isinstance(after["boxes"], tv_tensors.BoundingBoxes)
    assert after["labels"] is target["labels"]
    images = photographs(3, 3, SIZE)
    many, lists = policy.transform(seed=3)(images, [target, {}, (target["boxes"], "x")])
    assert many.shape == images.shape
    assert lists[1] == {}
    assert lists[2][1] == "x"
    with pytest.raises(AutoaugError, match="list of 3"):
        policy.transform()(images, {"boxes": target["boxes"]})


def test_mixed_and_blended_images_take_no_boxes() -> None:
    image, target = photographs(1, 3, SIZE)[0], {"boxes": boxes((5.0, 8.0, 20.0, 30.0))}
    with pytest.raises(AutoaugError, match="cannot be mixed"):
        Policy(mixing=Mixing(kind="cutmix")).transform()(image, target)
    with pytest.raises(AutoaugError, match="cannot follow"):
        load_policy("augmix").transform()(image, target)
    rotated = Policy(layers=in_turn(Operation(operator="Rotate", magnitude=0.1)))
    if hasattr(tv_tensors.BoundingBoxFormat, "XYWHR"):
        five = tv_tensors.BoundingBoxes(torch.tensor([[5.0, 8.0, 20.0, 30.0, 9.0]]), format="XYWHR", canvas_size=SIZE)
        with pytest.raises(AutoaugError, match="convert them to XYXY"):
            rotated.transform()(image, {"boxes": five})


class Pair(NamedTuple):
    box: Any
    name: str


class Labeled(dict):  # type: ignore[type-arg]
    """A dict with more to it."""


@dataclass(frozen=True)
class Sample:
    box: Any
    name: str = "x"


@pytest.mark.parametrize("maker", ["autoaug", "torchvision"])
def test_containers_of_every_kind_come_back_as_they_were(maker: str) -> None:
    policy = Policy(layers=in_turn(Operation(operator="HorizontalFlip", magnitude=1.0)))
    module = policy.transform() if maker == "autoaug" else loaded(policy, "torchvision")()
    box, image = boxes((5.0, 8.0, 20.0, 30.0)), photographs(1, 3, SIZE)[0]
    own = Labeled(box=box)
    own.source = "camera"
    targets: dict[str, Any] = {
        "named": Pair(box, "x"),
        "default": defaultdict(list, box=box),
        "ordered": OrderedDict(box=box),
        "user": UserDict(box=box),
        "deque": deque([box], maxlen=3),
        "own": own,
        "data": Sample(box),
    }
    _, made = module(image, targets)
    flipped = F.horizontal_flip(box)
    for kind, target in made.items():
        assert type(target) is type(targets[kind])
        inside = target[0] if kind in {"named", "deque"} else target.box if kind == "data" else target["box"]
        torch.testing.assert_close(inside, flipped)
    assert made["named"].name == made["data"].name == "x"
    assert made["default"]["new"] == []
    assert made["deque"].maxlen == 3
    assert made["own"].source == "camera"
    assert torch.equal(targets["default"]["box"], box), "what came in stays"
    _, both = module(image[None].repeat(2, 1, 1, 1), Pair(box, "x"))
    assert isinstance(both, Pair)
    torch.testing.assert_close(both.box, flipped)


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.int32])
@pytest.mark.parametrize("kind", ["XYXY", "XYWH", "CXCYWH"])
def test_whole_numbered_boxes_and_key_points_are_rounded(dtype: torch.dtype, kind: str) -> None:
    plan = plan_of(("Rotate", 33 / 180))
    exact = F.convert_bounding_box_format(boxes((20.0, 12.0, 34.0, 26.0)), new_format=kind)
    whole = tv_tensors.BoundingBoxes(exact.to(dtype), format=kind, canvas_size=SIZE)
    assert torch.equal(moved(plan, whole), moved(plan, exact).round().to(dtype))
    points = tv_tensors.KeyPoints(torch.tensor([[20.0, 12.0], [31.0, 7.0]]), canvas_size=SIZE)
    rounded = tv_tensors.KeyPoints(points.to(dtype), canvas_size=SIZE)
    assert torch.equal(moved(plan, rounded), moved(plan, points).round().to(dtype))


@pytest.mark.parametrize("maker", ["autoaug", "torchvision"])
@pytest.mark.parametrize(
    ("target", "words"),
    [
        (tv_tensors.Mask(torch.zeros(60, 40)), "masks belong to an image"),
        (tv_tensors.Mask(torch.zeros(2, 20, 30)), "masks belong to an image"),
        (tv_tensors.BoundingBoxes(torch.ones(1, 4), format="XYXY", canvas_size=(60, 40)), "boxes belong to an image"),
        (tv_tensors.KeyPoints(torch.ones(1, 2), canvas_size=(80, 60)), "keypoints belong to an image"),
    ],
)
def test_annotations_of_another_size_are_refused(maker: str, target: Any, words: str) -> None:
    policy = load_policy("none")
    module = policy.transform() if maker == "autoaug" else loaded(policy, "torchvision")()
    with pytest.raises((AutoaugError, ValueError), match=words):
        module(photographs(1, 3, SIZE)[0], {"target": target})


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64, torch.float32, torch.float64])
def test_masks_keep_every_value_exactly(dtype: torch.dtype) -> None:
    values = torch.arange(SIZE[0] * SIZE[1]).view(1, *SIZE)
    large = (values + (2**60 if dtype == torch.int64 else 0)).to(dtype)
    plan = plan_of(("Rotate", 20 / 180), ("ShearX", 0.2))
    source = moved(plan, tv_tensors.Mask(values + 1))
    expected = torch.where(source > 0, large.flatten()[(source - 1).clamp(min=0)], torch.zeros((), dtype=dtype))
    assert torch.equal(moved(plan, tv_tensors.Mask(large)), expected)
    assert moved(plan, tv_tensors.Mask(large[:0])).shape == (0, *SIZE)


@pytest.mark.parametrize("maker", ["autoaug", "torchvision"])
def test_a_batch_wants_a_list_of_targets(maker: str) -> None:
    policy = load_policy("none")
    module = policy.transform() if maker == "autoaug" else loaded(policy, "torchvision")()
    for targets in ({"boxes": 1, "labels": 2}, [{}], [{}, {}, {}], "ab"):
        with pytest.raises((AutoaugError, ValueError), match="must be a list of 2, one for each sample"):
            module(photographs(2), targets)
