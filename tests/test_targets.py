"""Boxes, masks and key-points go where the image goes; torchvision is the oracle where it has the transform."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.errors import AutoaugError
from autoaug.operators import all_operators
from autoaug.plan import Plan
from autoaug.policy import Mixing, Operation, Policy, in_turn
from autoaug.targets import move_targets
from autoaug.transform import apply_plan, load_policy
from tests.conformance.test_exporters import photographs

SIZE = (40, 60)
MOVING = sorted(o.name for o in all_operators().values() if o.kind in {"warp", "projection", "field"})


def plan_of(*steps: tuple[str, float]) -> Plan:
    names = tuple(name for name, _ in steps)
    draws = torch.rand(len(steps), 1, 4, generator=torch.Generator().manual_seed(1))
    choice = torch.arange(len(steps))[:, None]
    return Plan(names, choice, torch.tensor([[m] for _, m in steps]), draws)


def boxes(*rows: tuple[float, ...], kind: str = "XYXY") -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(torch.tensor(rows), format=kind, canvas_size=SIZE)


def moved(plan: Plan, target: Any) -> Any:
    return move_targets(plan, 0, target, SIZE)


def test_flips_agree_with_torchvision() -> None:
    given = boxes((5.0, 8.0, 20.0, 30.0), (0.0, 0.0, 60.0, 40.0))
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
    plan = plan_of((name, 0.25 if name != "HorizontalFlip" and name != "VerticalFlip" else 1.0), ("Rotate", 0.05))
    after = apply_plan(plan, image)[0, 0]
    total = after.sum()
    assert total > 5, "the spot is still in the frame"
    rows, columns = torch.meshgrid(torch.arange(SIZE[0]) + 0.5, torch.arange(SIZE[1]) + 0.5, indexing="ij")
    centre = torch.stack([(after * columns).sum(), (after * rows).sum()]) / total
    target = {
        "points": tv_tensors.KeyPoints(torch.tensor([[x + 0.5, y + 0.5]]), canvas_size=SIZE),
        "mask": tv_tensors.Mask((image[0] > 0.5).to(torch.uint8)),
        "boxes": boxes((x - 2.0, y - 2.0, x + 3.0, y + 3.0)),
        "label": 7,
    }
    result = moved(plan, target)
    if name != "PatchShuffle":  # which may cut the spot in two
        assert (result["points"][0] - centre).abs().max() < 1.5
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
    with pytest.raises(AutoaugError, match="cannot follow"):
        Policy(mixing=Mixing(kind="cutmix")).transform()(image, target)
    with pytest.raises(AutoaugError, match="cannot follow"):
        load_policy("augmix").transform()(image, target)
    rotated = Policy(layers=in_turn(Operation(operator="Rotate", magnitude=0.1)))
    if hasattr(tv_tensors.BoundingBoxFormat, "XYWHR"):
        five = tv_tensors.BoundingBoxes(torch.tensor([[5.0, 8.0, 20.0, 30.0, 9.0]]), format="XYWHR", canvas_size=SIZE)
        with pytest.raises(AutoaugError, match="convert them to XYXY"):
            rotated.transform()(image, {"boxes": five})
