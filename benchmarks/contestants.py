"""Contestants for the engine's speed: TrivialAugment of other libraries, and a bare resampling of the batch, its limit.

Each is a function without arguments that processes a batch ``[n, C, H, W]`` in [0, 1] once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.nn.functional import affine_grid, grid_sample

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.policy.loading import load_policy

Run = Callable[[], object]


def engine(name: str, images: torch.Tensor) -> Run:
    """Draw and apply a policy; the output tensor is reused."""
    policy, generator, out = load_policy(name), torch.Generator().manual_seed(0), torch.empty_like(images)
    return lambda: apply_plan(draw_plan(policy, len(images), generator), images, out=out, check=False)


def engine_backward(name: str, images: torch.Tensor) -> dict[str, Run]:
    """The forward pass alone, and forward and backward with gradients for images and magnitudes."""
    plan = draw_plan(load_policy(name), len(images), torch.Generator().manual_seed(0))
    leaf, magnitude = images.clone().requires_grad_(), plan.magnitude.clone().requires_grad_()
    learned, given = replace(plan, magnitude=magnitude), torch.rand_like(images)

    def both() -> object:
        return torch.autograd.grad(apply_plan(learned, leaf, check=False), [leaf, magnitude], given)

    return {"forward": lambda: apply_plan(plan, images, check=False), "forward and backward": both}


def bare_warp(images: torch.Tensor) -> Run:
    """Resample the whole batch once on a precomputed grid: the limit."""
    grid = _grid(images)
    return lambda: grid_sample(images, grid, align_corners=False)


def bare_backward(images: torch.Tensor) -> dict[str, Run]:
    """The forward pass alone, and forward and backward, of a single ``grid_sample``: its own cost."""
    grid = _grid(images)
    leaf, learned, given = images.clone().requires_grad_(), grid.clone().requires_grad_(), torch.rand_like(images)

    def both() -> object:
        return torch.autograd.grad(grid_sample(leaf, learned, align_corners=False), [leaf, learned], given)

    return {"forward": lambda: grid_sample(images, grid, align_corners=False), "forward and backward": both}


def _grid(images: torch.Tensor) -> torch.Tensor:
    turn = torch.eye(2, 3).repeat(len(images), 1, 1) + 0.05 * torch.randn(len(images), 2, 3)
    return affine_grid(turn, list(images.shape), align_corners=False).to(images.device)


def others(images: torch.Tensor, one_by_one: bool) -> dict[str, Run]:
    """TrivialAugment of other libraries, on CPU. Those that process images one at a time are included only with
    `one_by_one`: the batch size makes no difference to them.
    """
    from kornia.augmentation.auto import TrivialAugment

    per_batch = TrivialAugment()
    runs: dict[str, Run] = {"Kornia (draws once a batch)": lambda: per_batch(images)}
    if one_by_one:
        levels = (images * 255).round().byte()
        runs |= _torchvision(levels) | _albumentations(levels)
    return runs


def _torchvision(levels: torch.Tensor) -> dict[str, Run]:
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional as F

    trivial = v2.TrivialAugmentWide(interpolation=v2.InterpolationMode.BILINEAR)
    pictures = [F.to_pil_image(image) for image in levels]

    def to_tensors() -> object:
        moved = [F.pil_to_tensor(trivial(picture)) for picture in pictures]
        return torch.stack([F.to_dtype(image, torch.float32, scale=True) for image in moved])

    return {
        "torchvision, tensors": lambda: [trivial(image) for image in levels],
        "torchvision, PIL": lambda: [trivial(picture) for picture in pictures],
        "torchvision, PIL to tensors": to_tensors,
    }


def _albumentations(levels: torch.Tensor) -> dict[str, Run]:
    """Empty if albumentations is not installed."""
    try:
        one_of = similar_in_albumentations(1)
    except ImportError:
        return {}
    arrays = [image.permute(1, 2, 0).contiguous().numpy() for image in levels]
    return {"albumentations, OneOf": lambda: [one_of(image=array)["image"] for array in arrays]}


def similar_in_albumentations(count: int) -> Callable[..., Any]:
    """That many of TrivialAugment's operators, drawn per image; raises ImportError without albumentations."""
    import albumentations as A

    operators = [
        *(A.NoOp(p=1), A.Affine(shear={"x": (-44, 44)}, p=1), A.Affine(shear={"y": (-44, 44)}, p=1)),
        *(A.Affine(translate_percent={"x": (-0.14, 0.14)}, p=1), A.Affine(translate_percent={"y": (-0.14, 0.14)}, p=1)),
        *(A.Rotate((-135, 135), p=1), A.RandomBrightnessContrast(0.9, 0, p=1), A.RandomBrightnessContrast(0, 0.9, p=1)),
        *(A.Posterize((2, 8), p=1), A.Solarize((0.0, 1.0), p=1), A.Equalize(p=1), A.AutoContrast(p=1), A.Sharpen(p=1)),
    ]
    drawn: Callable[..., Any] = (
        A.OneOf(operators, p=1) if count == 1 else A.SomeOf(operators, n=count, replace=True, p=1)
    )
    return drawn
