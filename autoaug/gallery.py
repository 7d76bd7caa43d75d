"""A policy in pictures: the same images through it, with what was done to each; plain arrays for the report."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import torch

from autoaug.data.splits import Samples
from autoaug.policy import Policy
from autoaug.transform import apply_plan, draw_plan

IMAGES, DRAWS = 8, 3


class Gallery(NamedTuple):
    """Images before and after.

    Attributes:
        originals: uint8 ``[n, C, H, W]``.
        augmented: uint8 ``[draws, n, C, H, W]``, the same images, drawn again.
        captions: ``[draws, n]`` text, what was done.
        classes: ``[n]`` text, the images' classes.
    """

    originals: np.ndarray
    augmented: np.ndarray
    captions: np.ndarray
    classes: np.ndarray


def draw_gallery(policy: Policy, samples: Samples, classes: tuple[str, ...], seed: int) -> Gallery:
    """`IMAGES` training images of different classes, where there are so many, through the policy `DRAWS` times."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(samples), generator=generator).numpy()
    _, first = np.unique(samples.labels[order], return_index=True)
    rows = np.concatenate([order[np.sort(first)], np.delete(order, first)])[: min(IMAGES, len(order))]
    originals = samples.images.take(rows)
    drawn = [policy.at((i + 0.5) / DRAWS) for i in range(DRAWS)]  # of a schedule different phases
    plans = [draw_plan(p, len(rows), generator) for p in drawn]
    return Gallery(
        originals=originals,
        augmented=np.stack([apply_plan(plan, torch.from_numpy(originals)).numpy() for plan in plans]),
        captions=np.array([[plan.describe(i) for i in range(len(rows))] for plan in plans]),
        classes=np.array([classes[label] for label in samples.labels[rows]]),
    )


def to_bytes(gallery: Gallery) -> bytes:
    """The gallery as an ``.npz``."""
    content = io.BytesIO()
    np.savez_compressed(content, **gallery._asdict())
    return content.getvalue()
