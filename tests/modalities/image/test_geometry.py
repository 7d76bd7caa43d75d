"""Warps that take pixels to pixels, as quarter turns do, are exact copies: NumPy, PIL and torch are the oracles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import stats
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.engine.targets import move_targets
from autoaug.exporters import export_policy
from autoaug.modalities.base import Batch
from autoaug.modalities.image.warping import keeps_pixels
from autoaug.modalities.operators import get_operator
from autoaug.policy.models import Operation, Policy, in_turn
from tests.samples import photographs

#: First uniforms at which the quarter turn is one of 90, 180 and 270 degrees.
TURNS = torch.tensor([1 / 6, 1 / 2, 5 / 6])
#: Turned evenly and mirrored evenly: all eight symmetries of a square are equally likely.
SYMMETRIES = Policy(
    layers=in_turn(
        Operation(operator="QuarterTurn", probability=0.75, magnitude=1.0),
        Operation(operator="Transpose", probability=0.5, magnitude=1.0),
    )
)


def plan_of(*names: str, first: Tensor, magnitude: float = 1.0) -> Plan:
    """Each sample has these operators, with its `first` uniform number."""
    steps, n = len(names), len(first)
    uniforms = torch.rand(steps, n, 4, generator=torch.Generator().manual_seed(0))
    uniforms[..., 0] = first
    choice = torch.arange(steps)[:, None].expand(steps, n)
    return Plan(names, choice, torch.full((steps, n), magnitude), uniforms)


def noise(n: int, height: int, width: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Images ``[n, 3, height, width]`` no two pixels of which are alike."""
    drawn = torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (drawn * 255).to(dtype) if dtype == torch.uint8 else drawn.to(dtype)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
@pytest.mark.parametrize("side", [1, 2, 28, 33])
def test_quarter_turns_and_transposition_of_squares_are_copies(side: int, dtype: torch.dtype) -> None:
    images = noise(3, side, side, dtype)
    turned = apply_plan(plan_of("QuarterTurn", first=TURNS), images)
    for quarters, image, result in zip((1, 2, 3), images, turned, strict=True):
        np.testing.assert_array_equal(result.numpy(), np.rot90(image.numpy(), quarters, (1, 2)))
        assert torch.equal(result, F.rotate(image, 90.0 * quarters))
    assert torch.equal(apply_plan(plan_of("Transpose", first=TURNS), images), images.mT)


def test_pil_turns_and_transposes_alike() -> None:
    images = noise(3, 19, 19, torch.uint8)
    for name, ways in {
        "QuarterTurn": (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270),
        "Transpose": (Image.Transpose.TRANSPOSE,) * 3,
    }.items():
        made = apply_plan(plan_of(name, first=TURNS), images).permute(0, 2, 3, 1).numpy()
        for image, way, result in zip(images, ways, made, strict=True):
            given = Image.fromarray(image.permute(1, 2, 0).numpy())
            np.testing.assert_array_equal(result, np.asarray(given.transpose(way)))


@pytest.mark.parametrize("size", [(20, 26), (31, 7)])
def test_images_that_are_not_square_keep_their_shape(size: tuple[int, int]) -> None:
    images = noise(3, *size)
    turned = apply_plan(plan_of("QuarterTurn", first=TURNS), images)
    assert torch.equal(turned[0], images[0])
    assert torch.equal(turned[1:], images[1:].rot90(2, (2, 3)))
    assert torch.equal(apply_plan(plan_of("Transpose", first=TURNS), images), images.flip(3))


def symmetries(image: Tensor) -> list[bytes]:
    """The image under all symmetries of a square, or of a rectangle."""
    quarters = (0, 1, 2, 3) if image.shape[1] == image.shape[2] else (0, 2)
    mirrored = (image, image.flip(2))
    return [one.rot90(k, (1, 2)).contiguous().numpy().tobytes() for one in mirrored for k in quarters]


@pytest.mark.parametrize("target", ["autoaug", "torchvision", "kornia", "numpy"])
@pytest.mark.parametrize("size", [(28, 28), (6, 10)])
def test_all_symmetries_are_equally_likely_and_exact(target: str, size: tuple[int, int]) -> None:
    """Also in exported code."""
    image, n = noise(1, *size)[0], 2000
    module = SYMMETRIES.transform(seed=1) if target == "autoaug" else exported(target)(seed=1)
    many = image[None].repeat(n, 1, 1, 1)
    made = np.moveaxis(module(np.moveaxis(many.numpy(), 1, 3)), 3, 1) if target == "numpy" else module(many).numpy()
    counts = dict.fromkeys(symmetries(image), 0)
    for result in made:
        counts[np.ascontiguousarray(result).tobytes()] += 1  # a KeyError for all that is no exact copy
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3, counts.values()


def exported(target: str) -> Any:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(SYMMETRIES, target, exact=True), "exported", "exec"), namespace)  # the text under test
    return namespace["Augment"]


def test_boxes_masks_and_key_points_turn_exactly() -> None:
    side = 30
    boxes = tv_tensors.BoundingBoxes(torch.tensor([[5, 8, 20, 29]]), format="XYXY", canvas_size=(side, side))
    points = tv_tensors.KeyPoints(torch.tensor([[0, 0], [5, 8], [29, 11]]), canvas_size=(side, side))
    mask = tv_tensors.Mask(torch.arange(side * side).view(1, side, side))

    def moved(plan: Plan, index: int) -> tuple[Tensor, ...]:
        return tuple(move_targets(plan, index, (boxes, points, mask), Batch(torch.empty(3, 1, side, side))))

    for index, quarters in enumerate((1, 2, 3)):
        box, point, values = moved(plan_of("QuarterTurn", first=TURNS), index)
        assert torch.equal(box, F.rotate(boxes, 90.0 * quarters))
        assert torch.equal(values, mask.rot90(quarters, (1, 2)))
        # A key-point names the pixel whose value it had.
        assert torch.equal(values[0, point[:, 1], point[:, 0]], mask[0, points[:, 1], points[:, 0]])
    box, point, values = moved(plan_of("Transpose", first=TURNS), 0)
    assert box.tolist() == [[8, 5, 29, 20]]
    assert torch.equal(point, points.flip(1))
    assert torch.equal(values, mask.mT)


def test_composed_with_flips_and_moves_they_are_still_copies() -> None:
    names = ("HorizontalFlip", "QuarterTurn", "Transpose", "VerticalFlip", "QuarterTurn", "TranslateX")
    images, plan = noise(3, 28, 28), plan_of(*names, first=TURNS)
    assert torch.equal(apply_plan(plan, images), apply_plan(plan, images, fuse=False))


@pytest.mark.parametrize("differentiable", [False, True])
def test_copies_stand_beside_samples_that_are_interpolated(differentiable: bool) -> None:
    images, plan = noise(3, 28, 28), plan_of("QuarterTurn", "Rotate", first=TURNS)
    own = torch.tensor([[0, 0, -1], [-1, -1, 1]])
    plan = Plan(plan.operators, own, torch.tensor([[1.0] * 3, [0.1] * 3]), plan.uniforms)
    given = images.clone().requires_grad_(differentiable)
    made = apply_plan(plan, given)
    assert torch.equal(made[0], images[0].rot90(1, (1, 2)))
    assert torch.equal(made[1], images[1].rot90(2, (1, 2)))
    assert torch.equal(made[2], apply_plan(plan[2:3], images[2:3])[0])
    if differentiable:
        weights = noise(3, 28, 28)
        (gradient,) = torch.autograd.grad((made * weights).sum(), given)
        assert torch.equal(gradient[0], weights[0].rot90(-1, (1, 2)))
        assert torch.equal(gradient[1], weights[1].rot90(-2, (1, 2)))


LINEAR = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 1.004, 1.0000001])


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(LINEAR, LINEAR, st.sampled_from([0.0, 0.5, 3.0, -7.0, 1e-5])),
    st.tuples(LINEAR, LINEAR, st.sampled_from([0.0, 0.5, 2.0, 0.01])),
    st.sampled_from([0.0, 0.0, 0.0, 1e-3]),
    st.tuples(st.integers(2, 9), st.integers(2, 9)),
)
def test_maps_that_keep_pixels_are_told_from_others(
    first: tuple[float, ...], second: tuple[float, ...], tilt: float, size: tuple[int, int]
) -> None:
    """The source of every pixel is a pixel; maps with a perspective are never counted, whatever their source."""
    maps = torch.tensor([first, second, (tilt, 0.0, 1.0)], dtype=torch.float64)
    y, x = np.meshgrid(*(np.arange(length) + 0.5 - length / 2 for length in size), indexing="ij")
    source = np.stack([x, y, np.ones_like(x)], -1) @ maps.numpy().T
    places = source[..., :2] / source[..., 2:] + [size[1] / 2 - 0.5, size[0] / 2 - 0.5]
    is_whole = np.abs(places - places.round()).max() < 1e-3
    assert bool(keeps_pixels(maps[None], *size)) == (is_whole and not tilt)


@pytest.mark.parametrize("name", ["QuarterTurn", "Transpose"])
def test_they_are_switches(name: str) -> None:
    """Below a magnitude of one half they are off."""
    assert get_operator(name).is_switch
    images = photographs(3, size=(16, 16))
    assert torch.equal(apply_plan(plan_of(name, first=TURNS, magnitude=0.49), images), images)
    assert not torch.equal(apply_plan(plan_of(name, first=TURNS, magnitude=0.5), images), images)
