"""The array engine: every operator agrees with the batched one, and what users pass comes back in its own type."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image, ImageOps
from torchvision import tv_tensors

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.modalities.arrays import DrawnOperation
from autoaug.modalities.image import arrays
from autoaug.modalities.image.arrays.curves import CURVES
from autoaug.modalities.image.arrays.maps import MAPS
from autoaug.modalities.operators import get_operator
from tests.samples import operators_of, photographs

#: Operators that are left to torch; docs/how-to.md lists them.
LEFT = {"CLAHE", "Elastic", "Fog", "Identity", "JPEG", "PatchShuffle", "Pixelate", "Rain"}
SIZES = [(20, 26), (32, 32), (1, 1), (7, 2)]


def both(
    name: str, images: torch.Tensor, magnitude: float, then: tuple[tuple[str, float], ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """What the batched engine and the array engine make of uint8 images by one operator, or several."""
    steps = [(name, magnitude), *then]
    uniforms = torch.rand(len(steps), len(images), 4, generator=torch.Generator().manual_seed(3))
    magnitudes = torch.tensor([[m] * len(images) for _, m in steps])
    choice = torch.arange(len(steps))[:, None].expand(-1, len(images))
    plan = Plan(tuple(name for name, _ in steps), choice, magnitudes, uniforms)
    opened = arrays.opened(images)
    assert opened is not None
    drawn = [
        [
            DrawnOperation(name, float(magnitudes[s, i]) * get_operator(name).limit, uniforms[s, i].tolist())
            for s, (name, _) in enumerate(steps)
        ]
        for i in range(len(images))
    ]
    made = [arrays.run(sample, own) for sample, own in zip(opened.samples, drawn, strict=True)]
    return apply_plan(plan, images).numpy().astype(int), opened.back(made).numpy().astype(int)


def levels(channels: int, size: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Smooth images, noise, and flat ones, uint8."""
    noise = torch.randint(0, 256, (4, channels, *size), generator=torch.Generator().manual_seed(0))
    flat = torch.full((1, channels, *size), 77)
    smooth = (photographs(4, channels, size) * 255).round()
    return {"smooth": smooth.byte(), "noise": noise.byte(), "flat": flat.byte()}


def test_what_is_left_to_torch_is_known() -> None:
    assert set(operators_of()) - set(arrays.operators) == LEFT
    assert set(arrays.operators) <= set(operators_of())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", sorted(set(operators_of()) - LEFT))
def test_an_operator_agrees_with_the_batched_one(name: str, channels: int) -> None:
    """Nearly all pixels are within one level. OpenCV before version 5 places bilinear samples on a grid of 1/32 pixel,
    which on noise is worth up to 8 levels, and its Gaussian kernel has 8 bits.
    """
    signs = (1, -1) if get_operator(name).signed else (1,)
    for size, magnitude in [*itertools.product(SIZES, (0.35, 1.0)), ((20, 26), 0.0)]:
        given = levels(channels, size)
        for sign in signs:
            theirs, ours = both(name, torch.cat([*given.values()]), sign * magnitude)
            ends = np.cumsum([len(images) for images in given.values()])[:-1]
            for kind, difference in zip(given, np.split(np.abs(ours - theirs), ends), strict=True):
                close, moves = (difference <= 1).mean(), name in MAPS and kind == "noise"
                assert close >= 0.99 or (moves and difference.mean() < 1), (size, sign * magnitude, kind, close)
                assert difference.max() <= (8 if moves else 2), (size, sign * magnitude, kind)


@pytest.mark.parametrize("name", sorted(CURVES))
def test_curves_after_curves_are_one_table_without_rounding_between(name: str) -> None:
    """Their statistics are those of the image under the curves before."""
    for channels, images in ((c, levels(c, (20, 26))["smooth"]) for c in (1, 3)):
        before, sign = (("Gamma", 0.7), ("ColorTemperature", 0.4)), -1 if get_operator(name).signed else 1
        theirs, ours = both("Gamma", images, 0.7, (before[1], (name, sign * 0.6), ("Brightness", 0.3)))
        assert (np.abs(ours - theirs) <= 1).mean() >= 0.99, channels


def test_values_between_two_levels_are_rounded_as_by_torch() -> None:
    """A brightness of 1.3 takes level 5 to 6.5."""
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    magnitude = 0.3 / get_operator("Brightness").limit
    np.testing.assert_array_equal(*both("Brightness", images, magnitude))


def test_warps_after_warps_are_one_warp() -> None:
    images = levels(3, (32, 32))["smooth"]
    theirs, ours = both("Rotate", images, 0.3, (("HorizontalFlip", 1.0), ("Perspective", 0.5), ("ShearX", -0.4)))
    assert (np.abs(ours - theirs) <= 1).mean() >= 0.99


@pytest.mark.parametrize("name", sorted(MAPS))
def test_a_large_image_is_warped_as_each_of_its_channels(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    drawn = [DrawnOperation(name, 0.6 * get_operator(name).limit, [0.1, 0.7, 0.4, 0.9])]
    alone = np.dstack([arrays.run(np.ascontiguousarray(channel), drawn) for channel in image.transpose(2, 0, 1)])
    np.testing.assert_array_equal(arrays.run(image, drawn), alone)


def test_behind_the_horizon_there_is_nothing() -> None:
    """A strong tilt of an image that was zoomed out shows positions behind the viewer."""
    images = levels(3, (32, 32))["smooth"]
    theirs, ours = both("Perspective", images, 1.0, (("Scale", -1.0), ("Scale", -1.0)))
    assert (np.abs(ours - theirs) <= 1).mean() >= 0.98
    assert (ours == 0).any()


@pytest.mark.parametrize(
    ("name", "value", "oracle"),
    [
        ("Equalize", 1.0, ImageOps.equalize),
        ("AutoContrast", 1.0, ImageOps.autocontrast),
        ("Posterize", 4.0, lambda image: ImageOps.posterize(image, 4)),
        ("Solarize", 0.5, lambda image: ImageOps.solarize(image, 128)),
        ("HorizontalFlip", 1.0, ImageOps.mirror),
        ("Rotate", 90.0, lambda image: image.rotate(90)),
    ],
)
def test_pillow_agrees(name: str, value: float, oracle: Any) -> None:
    for image in levels(3, (24, 24))["smooth"].permute(0, 2, 3, 1).contiguous().numpy():
        ours = arrays.run(image, [DrawnOperation(name, value, [0.0] * 4)])
        assert np.abs(ours.astype(int) - np.asarray(oracle(Image.fromarray(image)))).max() <= 1


def test_a_half_pixel_is_the_mean_of_two() -> None:
    """SciPy, as an outside oracle of sampling between pixels, with zeros outside."""
    image = levels(1, (20, 26))["noise"][0, 0].numpy()
    ours = arrays.run(image, [DrawnOperation("ShearX", 0.25, [0.0] * 4)])
    y, x = np.mgrid[:20, :26].astype(float)
    there = [y, x + 0.25 * (y - 9.5) + 0.25 * 10]
    theirs = scipy.ndimage.map_coordinates(image.astype(float), there, order=1, mode="grid-constant", cval=0.0)
    assert np.abs(ours - theirs).max() <= 1


@pytest.mark.parametrize("name", ["Rotate", "Brightness", "Sharpness", "Cutout", "Equalize"])
def test_the_input_is_left_alone_and_shares_no_memory(name: str) -> None:
    image = levels(3, (20, 26))["smooth"][0].permute(1, 2, 0).contiguous().numpy()
    before = image.copy()
    for operations in ([], [DrawnOperation(name, 0.0, [0.5] * 4)], [DrawnOperation(name, 0.7, [0.5] * 4)]):
        made = arrays.run(image, operations)
        assert not np.shares_memory(made, image)
        made[:] = 0
        np.testing.assert_array_equal(image, before)


def kinds() -> dict[str, Any]:
    """One image in each type that is taken, of 5 x 7 pixels."""
    array = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    tensor = torch.from_numpy(array).permute(2, 0, 1)
    return {
        "RGB picture": Image.fromarray(array),
        "gray picture": Image.fromarray(array[..., 0]),
        "array": array,
        "gray array": np.ascontiguousarray(array[..., 0]),
        "array with one channel": np.ascontiguousarray(array[..., :1]),
        "array with strides": np.tile(array, (2, 1, 1))[::-2],
        "batch of arrays": np.stack([array, 255 - array]),
        "tensor": tensor.contiguous(),
        "channels-last tensor": tensor,
        "gray tensor": tensor[:1].contiguous(),
        "batch of tensors": torch.stack([tensor, 255 - tensor]),
        "image of torchvision": tv_tensors.Image(tensor),
    }


@pytest.mark.parametrize("kind", kinds())
def test_each_type_comes_back(kind: str) -> None:
    given = kinds()[kind]
    opened = arrays.opened(given)
    assert opened is not None
    made = opened.back([sample.copy() for sample in opened.samples])
    assert type(made) is type(given)
    np.testing.assert_array_equal(np.asarray(made), np.asarray(given))
    assert opened.shape[0] == len(opened.samples)
    assert sorted(opened.shape) == sorted(opened.shape[:1] + opened.shape[1:2] + (5, 7))


@pytest.mark.parametrize(
    "given",
    [
        torch.rand(3, 5, 7),
        np.zeros((5, 7, 3), np.float32),
        np.zeros((5, 7, 5), np.uint8),
        np.zeros((0, 7, 3), np.uint8),
        torch.zeros(5, 7, dtype=torch.uint8),
        torch.zeros(3, 5, 7, dtype=torch.uint8, device="meta"),
        Image.new("P", (5, 7)),
        np.zeros((1, 2**15, 3), np.uint8),
        "a name",
    ],
)
def test_anything_else_goes_the_other_way(given: Any) -> None:
    assert arrays.opened(given) is None
