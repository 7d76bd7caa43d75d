"""A policy in pictures: the same samples through it, with what was done to each; plain arrays for the report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from autoaug.data.splits import Samples
from autoaug.engine.transform import apply_plan, draw_plan
from autoaug.policy.models import Operation, Policy, in_turn

IMAGES, UNIFORMS = 8, 6
#: Magnitudes of a strip, as shares of the way from an operation's lowest to its highest.
_STRIP = (0.0, 0.25, 0.5, 0.75, 1.0)
_MOST_STRIPS = 24


class Gallery(NamedTuple):
    """Samples before and after.

    Attributes:
        originals: uint8 ``[n, C, H, W]``.
        augmented: uint8 ``[draws, n, C, H, W]``, the same samples, drawn again.
        captions: ``[draws, n]`` text, what was done.
        classes: ``[n]`` text, the samples' classes.
        strips: uint8 ``[operators, magnitudes, C, H, W]``, one sample through each operator of the policy alone, from
            its lowest magnitude to its highest.
        strip_captions: ``[operators, magnitudes]`` text, likewise.
        operators: ``[operators]`` text.
    """

    originals: np.ndarray
    augmented: np.ndarray
    captions: np.ndarray
    classes: np.ndarray
    strips: np.ndarray
    strip_captions: np.ndarray
    operators: np.ndarray


def draw_gallery(policy: Policy, samples: Samples, classes: tuple[str, ...], seed: int) -> Gallery:
    """`IMAGES` training samples of different classes, where there are so many, through the policy `UNIFORMS` times."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(samples), generator=generator).numpy()
    _, first = np.unique(samples.labels[order], return_index=True)
    rows = np.concatenate([order[np.sort(first)], np.delete(order, first)])[: min(IMAGES, len(order))]
    originals = samples.inputs.take(rows)
    drawn = [policy.at((i + 0.5) / UNIFORMS) for i in range(UNIFORMS)]  # of a schedule different phases
    plans = [draw_plan(p, len(rows), generator) for p in drawn]
    strips, strip_captions, operators = _strips(policy, originals[0])
    return Gallery(
        strips=strips,
        strip_captions=strip_captions,
        operators=operators,
        originals=originals,
        augmented=np.stack([apply_plan(plan, torch.from_numpy(originals)).numpy() for plan in plans]),
        captions=np.array([[plan.describe(i) for i in range(len(rows))] for plan in plans]),
        classes=np.array([classes[label] for label in samples.labels[rows]]),
    )


def _strips(policy: Policy, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`sample` through each operator of the policy alone, over the widest range that the policy gives it."""
    ranges: dict[str, tuple[float, float]] = {}
    for operation in policy.operations():
        low, high = ranges.get(operation.operator, operation.magnitude)
        ranges[operation.operator] = min(low, operation.magnitude[0]), max(high, operation.magnitude[1])
    ranges.pop("Identity", None)
    inputs, captions = [], []
    names = list(ranges)[:_MOST_STRIPS]
    for name in names:
        low, high = ranges[name]
        steps = [low + (high - low) * share for share in _STRIP]
        operations = [Operation(operator=name, magnitude=(m, m), sign="positive") for m in steps]
        alone = [Policy(layers=in_turn(o)) for o in operations]
        plans = [draw_plan(one, 1, torch.Generator().manual_seed(0)) for one in alone]
        inputs.append([apply_plan(plan, torch.from_numpy(sample[None])).numpy()[0] for plan in plans])
        captions.append([plan.describe(0) for plan in plans])
    shape = (len(names), len(_STRIP))
    return np.array(inputs, np.uint8).reshape(*shape, *sample.shape), np.array(captions).reshape(shape), np.array(names)


class Examples(NamedTuple):
    """Test samples that the policy set right, and that it broke: in how many of the seeds each was right.

    Attributes:
        samples: uint8 ``[n, C, H, W]``.
        captions: ``[n]`` text: the class, and how often it was recognized before and after.
        fixed: ``[n]`` bool, whether it is right more often now.
    """

    samples: np.ndarray
    captions: np.ndarray
    fixed: np.ndarray


def draw_examples(
    test: Samples, classes: tuple[str, ...], before: Sequence[np.ndarray], after: Sequence[np.ndarray]
) -> Examples:
    """The samples whose share of right predictions rose most, and fell most, up to `IMAGES` each; predictions are class
    indices ``[n]``, one array a seed.
    """
    right = [np.mean([found == test.labels for found in predictions], axis=0) for predictions in (before, after)]
    gain = right[1] - right[0]
    order = np.argsort(-gain, kind="stable")
    rows = np.array([r for r in (*order[:IMAGES], *order[::-1][:IMAGES]) if gain[r]], np.int64)
    captions = [
        f"{classes[test.labels[r]]}: right in {100 * right[0][r]:.0f} % before, {100 * right[1][r]:.0f} % after"
        for r in rows
    ]
    return Examples(test.inputs.take(rows), np.array(captions, dtype=str), gain[rows] > 0)


def draw_sample_gallery(made: Samples, classes: tuple[str, ...]) -> Examples:
    """Generated samples: the first two of each class, up to 32."""
    rows = [np.flatnonzero(made.labels == kind)[:2] for kind in range(len(classes))]
    kept = np.concatenate(rows)[: 4 * IMAGES].astype(np.int64)
    captions = np.array([classes[label] for label in made.labels[kept]], dtype=str)
    return Examples(made.inputs.take(kept), captions, np.ones(len(kept), bool))


def to_bytes(gallery: Gallery | Examples) -> bytes:
    """The pictures as an ``.npz``."""
    content = io.BytesIO()
    np.savez_compressed(content, **gallery._asdict())
    return content.getvalue()
