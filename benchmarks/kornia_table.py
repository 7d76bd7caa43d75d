"""The work of ``scripts/kornia_table``, which describes it."""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import kornia.color as C
import kornia.enhance as E
import kornia.filters as K
import kornia.geometry.transform as G
import numpy as np
import scipy.ndimage
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.modalities.base import Batch
from autoaug.modalities.image.fusion import FUSIONS
from autoaug.modalities.operators import Operator, all_operators, get_operator
from benchmarks.command import names
from benchmarks.gpu_cases import pictures

#: Of images ``[n, C, H, W]``, the value ``[n]`` of each in the operator's unit, and uniforms ``[n, 4]``.
Batched = Callable[[Tensor, Tensor, Tensor], Tensor]
#: Of one image ``[C, H, W]`` and its value.
Single = Callable[[Tensor, float], Tensor]

#: The least share of values that agree with the oracle, and the least speed.
AGREES, FAST = 0.99, 0.8
SPEEDS = ((64, 32), (16, 224))
#: Why a function on images cannot take the place of an operator that makes a map.
_JOINED = {
    "warp": "one warp with its neighbors",
    "projection": "one warp with its neighbors",
    "field": "one warp with its neighbors",
    "colors": "one matrix with other colors",
}


@dataclass(frozen=True)
class Rival:
    """A function of Kornia.

    Attributes:
        name: what is called.
        call: how, in the units of autoaug's operator.
        oracle: what both should compute; None for autoaug's own.
        tolerance: how far a value may be from the oracle's to agree.
        note: a fault of Kornia's, or a difference in meaning, that the figures do not tell.
    """

    name: str
    call: Batched
    oracle: Single | None = None
    tolerance: float = 2 / 255
    note: str = ""


def _column(value: Tensor) -> Tensor:
    return value[:, None, None, None]


def _pair(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second], -1)


def _pil_jpeg(image: Tensor, loss: float) -> Tensor:
    file = io.BytesIO()
    F.to_pil_image((image * 255).round().byte()).save(file, "JPEG", quality=100 - round(loss), subsampling=0)
    made: Tensor = F.pil_to_tensor(Image.open(file)).float() / 255
    return made


def _median(image: Tensor, share: float) -> Tensor:
    filtered = np.stack([scipy.ndimage.median_filter(plane, 3, mode="nearest") for plane in image.numpy()])
    made: Tensor = torch.lerp(image, torch.from_numpy(filtered), share)
    return made


def _equalized(image: Tensor, share: float) -> Tensor:
    made: Tensor = torch.lerp(image, F.equalize((image * 255).round().byte()).float() / 255, share)
    return made


def _blurred(image: Tensor, fraction: float) -> Tensor:
    shorter = min(image.shape[-2:])
    radius = int(np.ceil(3 * 0.06 * shorter))
    made: Tensor = F.gaussian_blur(image, [2 * radius + 1] * 2, [fraction * shorter] * 2)
    return made


def _affine(image: Tensor, angle: float = 0.0, shear: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    degrees = [float(np.rad2deg(np.arctan(slope))) for slope in shear]
    made: Tensor = F.affine(image, angle, [0, 0], 1.0, degrees, InterpolationMode.BILINEAR, center=[0, 0])
    return made


def _kornia_blur(images: Tensor, fraction: Tensor, _: Tensor) -> Tensor:
    shorter = min(images.shape[-2:])
    sigma = fraction * shorter
    made: Tensor = K.gaussian_blur2d(images, 2 * int(np.ceil(3 * 0.06 * shorter)) + 1, _pair(sigma, sigma))
    return made


def _kornia_motion(images: Tensor, fraction: Tensor, uniforms: Tensor) -> Tensor:
    side = 2 * int(np.ceil(0.25 * min(images.shape[-2:]) / 2)) + 1
    made: Tensor = K.motion_blur(
        images, side, 180 * uniforms[:, 0], torch.zeros_like(fraction), "replicate", "bilinear"
    )
    return made


def _kornia_elastic(images: Tensor, *_: Tensor) -> Tensor:
    noise = torch.rand(len(images), 2, *images.shape[-2:], generator=torch.Generator().manual_seed(0)) * 2 - 1
    made: Tensor = G.elastic_transform2d(images, noise.to(images), (63, 63), (8.0, 8.0), (0.3, 0.3))
    return made


def _kornia_shear(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    made: Tensor = G.shear(images, _pair(x, y))
    return made


RIVALS: dict[str, Rival] = {
    "Brightness": Rival(
        "enhance.adjust_brightness_accumulative",
        lambda x, v, _: E.adjust_brightness_accumulative(x, 1 + v),
        lambda x, v: F.adjust_brightness(x, 1 + v),
    ),
    "Contrast": Rival(
        "enhance.adjust_contrast_with_mean_subtraction",
        lambda x, v, _: E.adjust_contrast_with_mean_subtraction(x, 1 + v),
        lambda x, v: F.adjust_contrast(x, 1 + v),
    ),
    "Saturation": Rival(
        "enhance.adjust_saturation_with_gray_subtraction",
        lambda x, v, _: E.adjust_saturation_with_gray_subtraction(x, 1 + v),
        lambda x, v: F.adjust_saturation(x, 1 + v),
    ),
    "Grayscale": Rival(
        "color.rgb_to_grayscale",
        lambda x, v, _: torch.lerp(x, C.rgb_to_grayscale(x).expand_as(x), _column(v)),
        lambda x, v: F.adjust_saturation(x, 1 - v),
    ),
    "Invert": Rival(
        "enhance.invert",
        lambda x, v, _: torch.where(_column(v) >= 0.5, E.invert(x, x.new_ones(1)), x),
        lambda x, v: F.invert(x) if v >= 0.5 else x,
    ),
    "AutoContrast": Rival(
        "enhance.normalize_min_max",
        lambda x, v, _: torch.lerp(x, E.normalize_min_max(x), _column(v)),
        lambda x, v: torch.lerp(x, F.autocontrast(x), v),
    ),
    "Solarize": Rival(
        "enhance.solarize",
        lambda x, v, _: E.solarize(x, 1 - v),
        lambda x, v: F.solarize(x, 1 - v),
    ),
    "Posterize": Rival(
        "enhance.posterize",
        lambda x, v, _: E.posterize(x, 8 - (v + 0.5).floor().int()),
        lambda x, v: F.posterize((x * 255).round().byte(), 8 - int(v + 0.5)).float() / 255,
    ),
    "Equalize": Rival("enhance.equalize", lambda x, v, _: torch.lerp(x, E.equalize(x), _column(v)), _equalized),
    "CLAHE": Rival(
        "enhance.equalize_clahe",
        lambda x, v, _: torch.lerp(x, E.equalize_clahe(x, 4.0, (4, 4)), _column(v)),
        note="one clip limit for all; other sizes are padded to a multiple of the tiles",
    ),
    "Gamma": Rival(
        "enhance.adjust_gamma",
        lambda x, v, _: E.adjust_gamma(x, torch.exp2(v)),
        lambda x, v: F.adjust_gamma(x, 2**v),
    ),
    "Hue": Rival(
        "enhance.adjust_hue", lambda x, v, _: E.adjust_hue(x, v * 2 * torch.pi), lambda x, v: F.adjust_hue(x, v)
    ),
    "Sharpness": Rival(
        "enhance.sharpness", lambda x, v, _: E.sharpness(x, 1 + v), lambda x, v: F.adjust_sharpness(x, 1 + v)
    ),
    "GaussianBlur": Rival(
        "filters.gaussian_blur2d",
        _kornia_blur,
        _blurred,
        note="reads a value back (`bool((sigma > 0).all())`), so that a GPU is waited for; its parts do not",
    ),
    "MedianBlur": Rival(
        "filters.median_blur",
        lambda x, v, _: torch.lerp(x, K.median_blur(x, 3, "replicate"), _column(v)),
        _median,
    ),
    "MotionBlur": Rival("filters.motion_blur", _kornia_motion, note="one length (the kernel's size) for all images"),
    "JPEG": Rival(
        "enhance.jpeg_codec_differentiable",
        lambda x, v, _: E.jpeg_codec_differentiable(x, (100 - v.round()).clamp(min=1)),
        _pil_jpeg,
        8 / 255,
        "subsamples the colors, which no argument turns off",
    ),
    "Rotate": Rival(
        "geometry.transform.rotate",
        lambda x, v, _: G.rotate(x, v),
        lambda x, v: F.rotate(x, v, InterpolationMode.BILINEAR),
    ),
    "ShearX": Rival(
        "geometry.transform.shear",
        lambda x, v, _: _kornia_shear(x, -v, torch.zeros_like(v)),
        lambda x, v: _affine(x, shear=(v, 0.0)),
        note="has the other sign, and another line stays in place",
    ),
    "ShearY": Rival(
        "geometry.transform.shear",
        lambda x, v, _: _kornia_shear(x, torch.zeros_like(v), -v),
        lambda x, v: _affine(x, shear=(0.0, v)),
        note="has the other sign, and another line stays in place",
    ),
    "TranslateX": Rival(
        "geometry.transform.translate",
        lambda x, v, _: G.translate(x, _pair((v * x.shape[-1]).trunc(), torch.zeros_like(v))),
        lambda x, v: F.affine(x, 0.0, [int(v * x.shape[-1]), 0], 1.0, [0.0, 0.0]),
    ),
    "TranslateY": Rival(
        "geometry.transform.translate",
        lambda x, v, _: G.translate(x, _pair(torch.zeros_like(v), (v * x.shape[-2]).trunc())),
        lambda x, v: F.affine(x, 0.0, [0, int(v * x.shape[-2])], 1.0, [0.0, 0.0]),
    ),
    "Scale": Rival(
        "geometry.transform.scale",
        lambda x, v, _: G.scale(x, _pair(torch.exp2(v), torch.exp2(v))),
        lambda x, v: F.affine(x, 0.0, [0, 0], 2**v, [0.0, 0.0], InterpolationMode.BILINEAR),
    ),
    "HorizontalFlip": Rival(
        "geometry.transform.hflip",
        lambda x, v, _: torch.where(_column(v) >= 0.5, G.hflip(x), x),
        lambda x, v: F.horizontal_flip(x) if v >= 0.5 else x,
    ),
    "VerticalFlip": Rival(
        "geometry.transform.vflip",
        lambda x, v, _: torch.where(_column(v) >= 0.5, G.vflip(x), x),
        lambda x, v: F.vertical_flip(x) if v >= 0.5 else x,
    ),
    "Elastic": Rival(
        "geometry.transform.elastic_transform2d", _kornia_elastic, note="one strength for all, and noise of full size"
    ),
}


def ours(name: str) -> Batched:
    """Autoaug's operator, with all that the engine does to apply it."""
    operator = get_operator(name)
    fusion = FUSIONS[operator.kind]

    def run(images: Tensor, value: Tensor, uniforms: Tensor) -> Tensor:
        batch = Batch(images)
        return fusion.apply(batch, fusion.maps(operator.function, batch, value, uniforms)).values

    return run


def values_of(operator: Operator, n: int, weakest: float = 0.2, strongest: float = 0.8) -> Tensor:
    """Values of n images in the operator's unit, from weak to strong, of both signs if it is signed."""
    strength = torch.ones(n) if operator.is_switch else torch.linspace(weakest, strongest, n)
    sign = torch.where(torch.arange(n) % 2 == 0, 1.0, -1.0) if operator.signed else torch.ones(n)
    return sign * strength * operator.limit


def agreement(made: Tensor, expected: Tensor, tolerance: float) -> float:
    """The share of values that agree."""
    return float(((made - expected).abs() <= tolerance + 1e-6).float().mean())


def takes_each_value(call: Batched, images: Tensor, value: Tensor, uniforms: Tensor) -> bool:
    """Whether the values of a batch act on their own images, as each alone does, and act at all."""
    try:
        whole = call(images, value, uniforms)
        alone = torch.cat([call(images[i : i + 1], value[i : i + 1], uniforms[i : i + 1]) for i in range(len(images))])
        weaker = call(images, value / 2, uniforms)
    except Exception:
        return False
    return bool((whole - alone).abs().max() < 1e-3 and (whole - weaker).abs().max() > 1e-3)


def gradients(call: Batched, images: Tensor, value: Tensor, uniforms: Tensor) -> tuple[bool, bool]:
    """Whether the gradient in the image, and in the value, is finite and not 0."""
    leaves = [images.clone().requires_grad_(), value.clone().requires_grad_()]
    try:
        loss = call(leaves[0], leaves[1], uniforms).square().sum()
        found = torch.autograd.grad(loss, leaves, allow_unused=True)
    except Exception:
        return False, False
    image, strength = (g is not None and bool(g.isfinite().all()) and bool(g.abs().max() > 0) for g in found)
    return image, strength


def speed(name: str, rival: Batched, seconds: float) -> float:
    """The rival's speed in units of ours: the smaller of both sizes, in CPU time."""
    ratios = []
    for n, side in SPEEDS:
        images, value = pictures(n, 3, side, "cpu"), values_of(get_operator(name), n)
        uniforms, times = torch.rand(n, 4), {"ours": list[float](), "rival": list[float]()}
        runs = {"ours": ours(name), "rival": rival}
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(times["ours"]) < 5:
            for who, run in runs.items():
                begun = time.thread_time()
                run(images, value, uniforms)
                times[who].append(time.thread_time() - begun)
        ratios.append(median(times["ours"]) / median(times["rival"]))
    return min(ratios)


def row(name: str, seconds: float) -> str:
    """The line of an operator."""
    rival, operator = RIVALS[name], get_operator(name)
    uniforms = torch.rand(12, 4, generator=torch.Generator().manual_seed(0))
    given = pictures(12, 3, 32, "cpu"), values_of(operator, 12), uniforms
    expected = (ours(name) if rival.oracle is None else _batched(rival.oracle))(*given)
    agrees, own = (agreement(call(*given), expected, rival.tolerance) for call in (rival.call, ours(name)))
    each = operator.is_switch or takes_each_value(rival.call, *given)
    # At its full strength: a blend has the gradient of the image that is blended with.
    full = given[0], values_of(operator, 12, 0.9) if operator.signed else values_of(operator, 12, 1, 1), uniforms
    theirs, needed = gradients(rival.call, *full), gradients(ours(name), *full)
    fast = speed(name, rival.call, seconds)
    faults = [
        *([] if each else ["one value for all images"]),
        *([] if agrees >= AGREES else [f"agrees in {agrees:.0%}"]),
        *([] if all(has or not wanted for has, wanted in zip(theirs, needed, strict=True)) else ["lacks a gradient"]),
        *([] if fast >= FAST else ["slower"]),
        *([_JOINED[operator.kind]] if operator.kind in _JOINED else []),
    ]
    choice = f"ours: {', '.join(faults)}" if faults else "Kornia"
    marks = ["yes" if each else "no", f"{100 * agrees:.1f} %", f"{100 * own:.1f} %", _found(theirs), f"{fast:.2f}"]
    return f"| {name} | `{rival.name}` | {' | '.join(marks)} | {choice}{'; ' + rival.note if rival.note else ''} |"


def _batched(single: Single) -> Batched:
    return lambda images, value, _: torch.stack([single(x, float(v)) for x, v in zip(images, value, strict=True)])


def _found(gradients: tuple[bool, bool]) -> str:
    return {(True, True): "both", (True, False): "image", (False, True): "value", (False, False): "none"}[gradients]


HEAD = """# Operators and Kornia

Made by `scripts/kornia_table` with Kornia {kornia} and PyTorch {torch}, for each operator for which Kornia has a
function. A function is used if it takes a value for each image, agrees with an oracle in 99 % of all values, gives the
gradients that autoaug's operator gives, and is at least 0.8 times as fast. It must also work alone: consecutive warps
of an image are one warp, and the linear colors of a batch are applied at once: these operators make maps, not images.

- *agrees*: the share of values within 2/255 (JPEG: 8/255) of torchvision, SciPy or Pillow; without such an oracle, of
  autoaug's operator, which has tests of its own. The next column has that share of autoaug's operator.
- *gradient*: in what it is finite and not 0, at full strength: the image, the value, or both.
- *speed*: in units of that of autoaug's operator as it is now; the smaller of 32 and 224 pixels, one thread, CPU time.

| operator | Kornia | per image | agrees | ours agrees | gradient | speed | choice |
|---|---|---|---|---|---|---|---|
"""


def main(options: argparse.Namespace) -> None:
    """Measure and write the table."""
    import kornia

    torch.set_num_threads(1)
    torch.manual_seed(0)
    lines = []
    for name in names(options.operators, RIVALS, "function of Kornia for"):
        lines.append(row(name, options.seconds))
        print(lines[-1], flush=True)
    without = sorted(n for n, o in all_operators().items() if o.modality == "image" and n not in RIVALS)
    head = HEAD.format(kornia=kornia.__version__, torch=torch.__version__)
    foot = f"\nKornia has no function for: {', '.join(without)}.\n"
    options.out.write_text(head + "\n".join(lines) + "\n" + foot, encoding="utf-8")
