"""The contract of every registered operator; the agreement with torchvision is in test_exporters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps

from autoaug.operators import all_operators, get_operator
from autoaug.policy import Branch, Layer, Operation, Policy
from autoaug.transform import Plan, apply_plan, draw_plan
from tests.conformance.test_exporters import photographs

NAMES = sorted(all_operators())
#: The operators whose strength shows on a natural image; identity has none.
STRONG = [name for name in NAMES if name != "Identity"]


def apply(name: str, images: torch.Tensor, magnitude: float, draws: torch.Tensor | None = None) -> torch.Tensor:
    """The operator at one signed magnitude on every image."""
    n = len(images)
    draws = torch.rand(1, n, 4, generator=torch.Generator().manual_seed(0)) if draws is None else draws
    plan = Plan((name,), torch.zeros(1, n, dtype=torch.long), torch.full((1, n), magnitude), draws)
    return apply_plan(plan, images)


@pytest.mark.parametrize("name", NAMES)
def test_magnitude_zero_is_the_identity(name: str) -> None:
    images = photographs()
    torch.testing.assert_close(apply(name, images, 0.0), images, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 7), (1, 3, 7, 1), (2, 3, 1, 1), (3, 1, 5, 4), (2, 5, 9, 8), (1, 3, 16, 16)]
)
@pytest.mark.parametrize("magnitude", [-1.0, -0.4, 0.4, 1.0])
def test_shape_dtype_and_range_are_kept(name: str, shape: tuple[int, ...], magnitude: float) -> None:
    if magnitude < 0 and not get_operator(name).signed:
        magnitude = -magnitude
    images = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    for dtype in (torch.float32, torch.float64):
        out = apply(name, images.to(dtype), magnitude)
        assert out.shape == images.shape
        assert out.dtype == dtype
        assert out.isfinite().all()
        assert out.min() >= 0
        assert out.max() <= 1
    assert apply(name, (images * 255).to(torch.uint8), magnitude).dtype == torch.uint8


@pytest.mark.parametrize("name", STRONG)
def test_distortion_grows_with_magnitude_and_is_visible_at_one(name: str) -> None:
    images = 0.1 + 0.7 * photographs(48)  # not of full contrast, which would leave autocontrast nothing to do
    draws = torch.rand(1, 48, 4, generator=torch.Generator().manual_seed(2))
    levels = [float((apply(name, images, m, draws) - images).abs().mean()) for m in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert levels[-1] > 0.01, f"{name} is hardly visible at magnitude 1: {levels}"
    slack = 0.02 * levels[-1]
    if name == "Rotate":  # a half turn may bring an image closer to itself than a quarter turn does
        levels = levels[:3]
    assert all(low <= high + slack for low, high in itertools.pairwise(levels)), levels


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_left_alone_and_the_output_repeats(name: str) -> None:
    images = photographs()
    before = images.clone()
    first, second = apply(name, images, 0.7), apply(name, images, 0.7)
    assert torch.equal(images, before)
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_does_not_depend_on_its_neighbours(name: str) -> None:
    images = photographs(6)
    draws = torch.rand(1, 6, 4, generator=torch.Generator().manual_seed(3))
    whole = apply(name, images, 0.8, draws)
    alone = apply(name, images[2:3], 0.8, draws[:, 2:3])
    torch.testing.assert_close(whole[2:3], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [name for name in NAMES if get_operator(name).signed])
def test_both_signs_are_drawn_evenly_and_differ(name: str) -> None:
    policy = Policy(layers=(Layer(branches=(Branch(operations=(Operation(operator=name, magnitude=0.6),)),)),))
    plan = draw_plan(policy, 4000, torch.Generator().manual_seed(0))
    positive = float((plan.magnitude > 0).float().mean())
    assert abs(positive - 0.5) < 4 * 0.5 / 4000**0.5
    images = photographs(4)
    assert (apply(name, images, 0.6) - apply(name, images, -0.6)).abs().max() > 0.02


@pytest.mark.parametrize("name", STRONG)
def test_gradients_reach_images_and_magnitude(name: str) -> None:
    """Through the engine; noise of discrete places may have none in its magnitude, but never an infinite one."""
    images = (0.1 + 0.8 * photographs(4, size=(24, 25)).double()).requires_grad_()
    magnitude = torch.full((1, 4), 0.45, dtype=torch.float64, requires_grad=True)
    draws = torch.rand(1, 4, 4, generator=torch.Generator().manual_seed(0))
    out = apply_plan(Plan((name,), torch.zeros(1, 4, dtype=torch.long), magnitude, draws), images)
    for gradient in torch.autograd.grad(out.square().sum(), [images, magnitude], allow_unused=True):
        assert gradient is not None
        assert gradient.isfinite().all()
        assert gradient.abs().sum() > 0


#: Operators without steps; affine warps are smooth in their maps, and images are smooth between pixels' centres.
SMOOTH = [
    "Brightness",
    "Contrast",
    "Saturation",
    "Grayscale",
    "GaussianNoise",
    "GaussianBlur",
    "Sharpness",
    "AutoContrast",
    "Rotate",
    "ShearX",
    "ShearY",
    "Scale",
]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_of_smooth_operators_match_finite_differences(name: str) -> None:
    images = (0.4 + 0.2 * torch.rand(2, 3, 5, 6, dtype=torch.float64)).requires_grad_()
    magnitude = torch.tensor([[0.2, 0.3]], dtype=torch.float64, requires_grad=True)
    draws = torch.rand(1, 2, 4, generator=torch.Generator().manual_seed(1))
    choice = torch.zeros(1, 2, dtype=torch.long)

    def augment(x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        return apply_plan(Plan((name,), choice, m, draws), x)

    assert torch.autograd.gradcheck(augment, (images, magnitude), eps=1e-6, atol=1e-4)


def as_pil(images: torch.Tensor) -> list[Image.Image]:
    return [Image.fromarray((image * 255).round().byte().permute(1, 2, 0).numpy()) for image in images]


@pytest.mark.parametrize(
    ("name", "magnitude", "oracle"),
    [
        ("Brightness", 0.5, lambda image: ImageEnhance.Brightness(image).enhance(1.5)),
        ("Contrast", -0.7, lambda image: ImageEnhance.Contrast(image).enhance(0.3)),
        ("Saturation", 0.6, lambda image: ImageEnhance.Color(image).enhance(1.6)),
        ("Sharpness", 0.8, lambda image: ImageEnhance.Sharpness(image).enhance(1.8)),
        ("Posterize", 4 / 7, lambda image: ImageOps.posterize(image, 4)),
        ("Solarize", 0.5, lambda image: ImageOps.solarize(image, 128)),
        ("AutoContrast", 1.0, ImageOps.autocontrast),
        ("Equalize", 1.0, ImageOps.equalize),
        ("Invert", 1.0, ImageOps.invert),
        ("HorizontalFlip", 1.0, ImageOps.mirror),
        ("VerticalFlip", 1.0, ImageOps.flip),
        ("Rotate", 0.5, lambda image: image.rotate(90)),
    ],
)
def test_pil_agrees(name: str, magnitude: float, oracle: object) -> None:
    images = photographs(6, size=(18, 18))
    ours = (apply(name, images, magnitude) * 255).round().permute(0, 2, 3, 1).numpy()
    theirs = np.stack([np.asarray(oracle(image)) for image in as_pil(images)])
    assert np.abs(ours - theirs).max() <= 1.01, "at most one level of 256, which PIL rounds at other places"


def test_every_operator_is_described() -> None:
    for operator in all_operators().values():
        assert operator.summary.endswith(".")
        assert operator.unit
        assert operator.limit > 0
