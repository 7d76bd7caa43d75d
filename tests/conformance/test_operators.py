"""The contract of every registered operator, and its agreement with PIL, torchvision, SciPy or a closed form."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image, ImageEnhance, ImageOps
from scipy import stats
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.modalities.operators import all_operators, get_operator
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Operation, Policy, in_turn
from tests.samples import SHAPES, distinct_operators, photographs, typical

NAMES = distinct_operators()
#: The operators whose strength shows on a natural image; identity has none.
STRONG = [name for name in NAMES if name != "Identity"]


def apply(name: str, images: torch.Tensor, magnitude: float, uniforms: torch.Tensor | None = None) -> torch.Tensor:
    """The operator at one signed magnitude on every image."""
    n = len(images)
    uniforms = torch.rand(1, n, 4, generator=torch.Generator().manual_seed(0)) if uniforms is None else uniforms
    plan = Plan((name,), torch.zeros(1, n, dtype=torch.long), torch.full((1, n), magnitude), uniforms)
    return apply_plan(plan, images)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.fault("properties", "operators are the identity at 0")
def test_magnitude_zero_is_the_identity(name: str) -> None:
    images = typical(name)
    torch.testing.assert_close(apply(name, images, 0.0), images, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("name", "shape"),
    [(name, shape) for name in NAMES for shape in SHAPES[get_operator(name).modality]],
)
@pytest.mark.fault("properties", "operators keep shape, type and range")
def test_shape_dtype_and_range_are_kept(name: str, shape: tuple[int, ...]) -> None:
    """At the shapes that the operator's modality takes, and all signed magnitudes that it has."""
    operator = get_operator(name)
    low, high = get_modality(operator.modality).values.bounds
    samples = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    for sign, size in itertools.product((-1, 1) if operator.signed else (1,), (0.4, 1.0)):
        magnitude = sign * size
        for dtype in (torch.float32, torch.float64):
            out = apply(name, samples.to(dtype), magnitude)
            assert out.shape == samples.shape
            assert out.dtype == dtype
            assert out.isfinite().all(), magnitude
            assert low <= out.min() <= out.max() <= high, magnitude
        if operator.modality == "image":
            assert apply(name, (samples * 255).to(torch.uint8), magnitude).dtype == torch.uint8


@pytest.mark.parametrize("name", STRONG)
def test_distortion_grows_with_magnitude_and_is_visible_at_one(name: str) -> None:
    images = 0.1 + 0.7 * typical(name, 48)  # not of full contrast, which would leave autocontrast nothing to do
    uniforms = torch.rand(1, 48, 4, generator=torch.Generator().manual_seed(2))
    levels = [float((apply(name, images, m, uniforms) - images).abs().mean()) for m in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert levels[-1] > 0.01, f"{name} is hardly visible at magnitude 1: {levels}"
    slack = 0.02 * levels[-1]
    if name == "Rotate":  # a half turn may bring an image closer to itself than a quarter turn does
        levels = levels[:3]
    assert all(low <= high + slack for low, high in itertools.pairwise(levels)), levels


@pytest.mark.parametrize("name", NAMES)
def test_the_input_is_left_alone_and_the_output_repeats(name: str) -> None:
    images = typical(name)
    before = images.clone()
    first, second = apply(name, images, 0.7), apply(name, images, 0.7)
    assert torch.equal(images, before)
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_does_not_depend_on_its_neighbors(name: str) -> None:
    images = typical(name, 6)
    uniforms = torch.rand(1, 6, 4, generator=torch.Generator().manual_seed(3))
    whole = apply(name, images, 0.8, uniforms)
    alone = apply(name, images[2:3], 0.8, uniforms[:, 2:3])
    torch.testing.assert_close(whole[2:3], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [name for name in NAMES if get_operator(name).signed])
def test_both_signs_are_drawn_evenly_and_differ(name: str) -> None:
    policy = Policy(layers=in_turn(Operation(operator=name, magnitude=0.6)))
    plan = draw_plan(policy, 4000, torch.Generator().manual_seed(0))
    positive = float((plan.magnitude > 0).float().mean())
    assert abs(positive - 0.5) < 4 * 0.5 / 4000**0.5
    images = typical(name, 4)
    assert (apply(name, images, 0.6) - apply(name, images, -0.6)).abs().max() > 0.02


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
        ("Transpose", 1.0, lambda image: image.transpose(Image.Transpose.TRANSPOSE)),
        ("Rotate", 0.5, lambda image: image.rotate(90)),
    ],
)
def test_pil_agrees(name: str, magnitude: float, oracle: object) -> None:
    images = photographs(6, size=(18, 18))
    ours = (apply(name, images, magnitude) * 255).round().permute(0, 2, 3, 1).numpy()
    theirs = np.stack([np.asarray(oracle(image)) for image in as_pil(images)])
    assert np.abs(ours - theirs).max() <= 1.01, "at most one level of 256, which PIL rounds at other places"


#: Operators that torchvision has too, or can express.
IN_TORCHVISION = [
    *("HorizontalFlip", "VerticalFlip", "Rotate", "ShearX", "ShearY", "TranslateX", "TranslateY", "Scale", "PadCrop"),
    *("RandomResizedCrop", "Perspective", "Hue", "Gamma", "Brightness", "Contrast", "Saturation", "Sharpness"),
    *("Grayscale", "GaussianBlur"),
]

#: Operators that leave gray images as they are.
ON_COLORS = ["Hue", "ColorTemperature", "Saturation", "Grayscale", "ChannelShuffle", "ChannelDrop"]


def torchvision_of(name: str, magnitude: float, uniforms: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """What torchvision calls the operator at that magnitude, for one image of 20 x 26."""
    operator, bilinear = get_operator(name), InterpolationMode.BILINEAR
    value, d = magnitude * operator.limit, uniforms.tolist()
    height, width = 20, 26

    def affine(move: tuple[int, int] = (0, 0), scale: float = 1.0, shear: tuple[float, float] = (0.0, 0.0)) -> object:
        center = [0.0, 0.0] if shear != (0.0, 0.0) else None
        return lambda x: F.affine(x, 0.0, list(move), scale, list(shear), bilinear, center=center)

    def resized_crop(x: torch.Tensor) -> torch.Tensor:
        area, aspect = 1 - value * d[0], math.exp(value / 0.92 * math.log(4 / 3) * (2 * d[1] - 1))
        w, h = min(1, (area * aspect) ** 0.5), min(1, (area / aspect) ** 0.5)
        left, top = (1 - w) * ((width - 1) * d[2] + 0.5), (1 - h) * ((height - 1) * d[3] + 0.5)
        # torchvision crops whole pixels; a perspective between the corners does not round.
        corners = [(left, top), (left + w * width, top), (left + w * width, top + h * height), (left, top + h * height)]
        return perspective(x, corners)

    def perspective(x: torch.Tensor, sources: list[tuple[float, float]]) -> torch.Tensor:
        frame = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
        return F.perspective(x, None, None, bilinear, coefficients=homography(sources, frame))

    def tilted(x: torch.Tensor) -> torch.Tensor:
        a, b = (value * f(2 * math.pi * d[0]) * 2**0.5 for f in (math.cos, math.sin))
        sources = []
        for u, v in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)):
            depth = 1 + a * u + b * v
            sources.append((u / depth * width + width / 2, v / depth * height + height / 2))
        return perspective(x, sources)

    def pad_crop(x: torch.Tensor) -> torch.Tensor:
        x_pad, y_pad = round(value * width), round(value * height)
        left, top = int(d[0] * (2 * x_pad + 1)), int(d[1] * (2 * y_pad + 1))
        return F.crop(F.pad(x, [x_pad, y_pad]), top, left, height, width)

    degrees = math.degrees(math.atan(value))
    oracles: dict[str, object] = {
        "HorizontalFlip": F.horizontal_flip,
        "VerticalFlip": F.vertical_flip,
        "Rotate": lambda x: F.rotate(x, value, bilinear),
        "ShearX": affine(shear=(degrees, 0.0)),
        "ShearY": affine(shear=(0.0, degrees)),
        "TranslateX": affine(move=(int(value * width), 0)),
        "TranslateY": affine(move=(0, int(value * height))),
        "Scale": affine(scale=2.0**value),
        "PadCrop": pad_crop,
        "RandomResizedCrop": resized_crop,
        "Perspective": tilted,
        "Hue": lambda x: F.adjust_hue(x, value),
        "Gamma": lambda x: F.adjust_gamma(x, 2.0**value),
        "Brightness": lambda x: F.adjust_brightness(x, 1 + value),
        "Contrast": lambda x: F.adjust_contrast(x, 1 + value),
        "Saturation": lambda x: F.adjust_saturation(x, 1 + value),
        "Sharpness": lambda x: F.adjust_sharpness(x, 1 + value),
        "Grayscale": lambda x: F.adjust_saturation(x, 1 - value),
        "GaussianBlur": lambda x: F.gaussian_blur(x, [9, 9], [value * height] * 2),
    }
    return oracles[name]  # type: ignore[return-value]


@pytest.mark.parametrize("size", [2, 4, 8, 32])
def test_a_crop_shows_nothing_from_beyond_the_border(size: int) -> None:
    uniforms = torch.rand(200, 4, generator=torch.Generator().manual_seed(0))
    plan = Plan(("RandomResizedCrop",), torch.zeros(1, 200).long(), torch.ones(1, 200), uniforms[None])
    cropped = apply_plan(plan, torch.ones(200, 1, size, size))
    torch.testing.assert_close(cropped, torch.ones_like(cropped))


def homography(sources: list[tuple[float, float]], targets: list[tuple[float, float]]) -> list[float]:
    """The eight coefficients of the projective map that takes each target to its source, by least squares."""
    rows, right = [], []
    for (x, y), (u, v) in zip(sources, targets, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        right += [x, y]
    return np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0].tolist()


@pytest.mark.parametrize("magnitude", [0.3, -0.3, 0.8])
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_torchvision_agrees(name: str, magnitude: float) -> None:
    operator = get_operator(name)
    magnitude = 1.0 if operator.is_switch else magnitude if operator.signed else abs(magnitude)
    images = photographs(5)
    uniforms = torch.rand(1, 5, 4, generator=torch.Generator().manual_seed(4))
    ours = apply(name, images, magnitude, uniforms)
    theirs = torch.stack([torchvision_of(name, magnitude, d)(x) for x, d in zip(images, uniforms[0], strict=True)])
    difference = (ours - theirs).abs()
    assert (difference < 2e-3).float().mean() > 0.995, f"worst {difference.max():.4f}, mean {difference.mean():.5f}"


@pytest.mark.parametrize("quality", [90, 50, 10])
def test_jpeg_agrees_with_pil(quality: int) -> None:
    images = photographs(4, size=(32, 40))
    ours = apply("JPEG", images, (100 - quality) / 95)
    theirs = []
    for image in as_pil(images):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality, subsampling=0)
        theirs.append(np.asarray(Image.open(file)))
    levels, given = ((x * 255).permute(0, 2, 3, 1).numpy() for x in (ours, images))
    difference, loss = np.abs(levels - np.stack(theirs)), np.abs(given - np.stack(theirs))
    # They round to whole numbers on the way, so that a coefficient here and there falls to the next step.
    assert difference.mean() < 0.5 * loss.mean()
    assert difference.mean() < 1.5, "levels of 256"


def test_median_agrees_with_scipy() -> None:
    images = photographs(3)
    theirs = scipy.ndimage.median_filter(images.numpy(), size=(1, 1, 3, 3), mode="nearest")
    np.testing.assert_allclose(apply("MedianBlur", images, 1.0).numpy(), theirs, atol=1e-6)


def test_motion_blur_along_the_rows_agrees_with_scipy() -> None:
    images = photographs(2, size=(24, 24))
    uniforms = torch.zeros(1, 2, 4)
    ours = apply("MotionBlur", images, 4 / 24 / 0.25, uniforms)  # 4 pixels: weights 1 as far as 2, on a pixel's grid
    theirs = scipy.ndimage.uniform_filter1d(images.numpy(), 5, axis=3, mode="nearest")
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)


def test_elastic_agrees_with_scipy() -> None:
    images = photographs(2)
    uniforms = torch.rand(1, 2, 4, generator=torch.Generator().manual_seed(0))
    positions = get_operator("Elastic").function(torch.full((2,), 0.05), uniforms[0], (20, 26)).numpy()
    theirs = np.stack(
        [
            [
                scipy.ndimage.map_coordinates(
                    channel, [p[..., 1] + 9.5, p[..., 0] + 12.5], order=1, mode="grid-constant", cval=0.0
                )
                for channel in image
            ]
            for image, p in zip(images.numpy(), positions, strict=True)
        ]
    )
    np.testing.assert_allclose(apply("Elastic", images, 0.5, uniforms).numpy(), theirs, atol=1e-4)


def test_noise_has_the_variance_that_it_says() -> None:
    gray = torch.full((40, 1, 32, 32), 0.5)
    uniforms = torch.rand(1, 40, 4, generator=torch.Generator().manual_seed(0))
    gaussian = apply("GaussianNoise", gray, 0.3, uniforms) - gray
    assert stats.kstest(gaussian.flatten().numpy(), stats.norm(0, 0.09).cdf).pvalue > 1e-3
    shot = apply("PoissonNoise", gray, 0.3, uniforms) - gray
    assert float(shot.std()) == pytest.approx(0.09 * 0.5**0.5, rel=0.02)
    salted = apply("SaltAndPepper", gray, 0.5, uniforms)
    for value in (0.0, 1.0):
        assert stats.binomtest(int((salted == value).sum()), salted.numel(), 0.075).pvalue > 1e-3


def test_rectangles_have_the_area_that_they_say() -> None:
    white = torch.ones(400, 1, 64, 64)
    uniforms = torch.rand(1, 400, 4, generator=torch.Generator().manual_seed(0))
    uniforms[..., :2] = 0.5  # in the middle, where nothing is cut off
    assert float((apply("Cutout", white, 0.5, uniforms) == 0.5).float().mean()) == pytest.approx(0.375**2, rel=0.1)
    assert float((apply("Erase", white, 0.3, uniforms) == 0).float().mean()) == pytest.approx(0.15, rel=0.1)
    grid = apply("GridMask", white, 0.6, torch.rand(1, 400, 4, generator=torch.Generator().manual_seed(1)))
    assert float((grid == 0).float().mean()) == pytest.approx(0.42**2, rel=0.1)


@pytest.mark.parametrize("size", [(24, 17), (1, 9), (9, 1), (1, 1)])
def test_a_vignette_darkens_the_corners_by_what_it_says_and_leaves_the_center(size: tuple[int, int]) -> None:
    """Half as much at the ends of a single row."""
    made = apply("Vignette", torch.ones(1, 1, *size), 0.8)[0, 0]
    assert float(made[0, 0]) == pytest.approx(1 - 0.4 * sum(length > 1 for length in size))
    assert float(made[size[0] // 2, size[1] // 2]) == pytest.approx(1, abs=0.01)


def test_patch_shuffle_keeps_every_pixel() -> None:
    images = photographs(6, size=(16, 24))
    shuffled = apply("PatchShuffle", images, 1.0)
    torch.testing.assert_close(shuffled.flatten(1).sort(1).values, images.flatten(1).sort(1).values, atol=1e-5, rtol=0)


def test_clahe_of_one_tile_is_equalization() -> None:
    """On an image of one pixel a tile's curve is its own rank; on a flat image nothing is stretched far."""
    flat = torch.full((1, 1, 32, 32), 0.5)
    assert (apply("CLAHE", flat, 1.0) - flat).abs().max() < 0.05, "limited contrast leaves a flat image almost flat"
    dim = 0.4 + 0.1 * photographs(4, 1, (64, 64))
    assert apply("CLAHE", dim, 1.0).std() > 2 * dim.std(), "and stretches a dim one"


@pytest.mark.parametrize("name", ON_COLORS)
def test_color_operators_leave_gray_images_alone(name: str) -> None:
    images = photographs(4, channels=1)
    torch.testing.assert_close(apply(name, images, 0.8), images, atol=1e-6, rtol=0)


def test_every_operator_is_described() -> None:
    for operator in all_operators().values():
        assert operator.summary.endswith(".")
        assert operator.unit
        assert operator.limit > 0
