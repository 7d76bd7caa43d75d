"""Pictures of a policy for the report, as plain arrays: samples before and after, with what was done to each."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from autoaug.data.labels import format_label, kind_of, strata_of
from autoaug.data.splits import DataSet, Samples
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan, mixing_of
from autoaug.modalities.operators import IDENTITY
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Operation, Policy, in_turn

#: The number of samples shown, and the number of draws for each.
SAMPLES, DRAWN = 8, 6
#: Magnitudes in a strip, as fractions of the range from an operation's lowest to its highest magnitude.
_STRIP = (0.0, 0.25, 0.5, 0.75, 1.0)
_MOST_STRIPS = 24
#: Samples of more bytes are drawn half as often, for half as many operators, so that a page stays below some 10 MB.
_LARGE = 2**16


class Gallery(NamedTuple):
    """Samples before and after.

    Attributes:
        originals: ``[n, ...]``, in storage format.
        augmented: ``[times, n, ...]``, the same samples, augmented several times.
        captions: ``[times, n]`` text, what was done.
        classes: ``[n]`` text, the classes of the samples.
        strips: ``[operators, magnitudes, ...]``, one sample through each single operator of the policy, from its lowest
            magnitude to its highest.
        strip_captions: ``[operators, magnitudes]`` text, what was done in the strips.
        operators: ``[operators]`` text, the names of the operators.
    """

    originals: np.ndarray
    augmented: np.ndarray
    captions: np.ndarray
    classes: np.ndarray
    strips: np.ndarray
    strip_captions: np.ndarray
    operators: np.ndarray


def draw_gallery(policy: Policy, data: DataSet, seed: int) -> Gallery:
    """Pass `SAMPLES` training samples, of different classes if possible, through the policy `DRAWN` times."""
    samples, classes, policy = data.train, data.classes, policy.with_learned(data.learned)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(samples), generator=generator).numpy()
    _, first = np.unique(strata_of(samples.labels)[order], return_index=True)
    rows = np.concatenate([order[np.sort(first)], np.delete(order, first)])[: min(SAMPLES, len(order))]
    originals = samples.inputs.take(rows)
    drawn = _at_most(DRAWN, originals[0])
    phases = [policy.at((i + 0.5) / drawn) for i in range(drawn)]  # for a schedule
    plans = [draw_plan(p, len(rows), generator, data.modality) for p in phases]
    strips, strip_captions, operators = _strips(policy, originals[0])
    augmented = np.stack([apply_plan(plan, torch.from_numpy(originals)).numpy() for plan in plans])
    labels = samples.labels[rows]
    is_shown = kind_of(labels) == "translation"  # a pair shows its target itself
    return Gallery(
        strips=strips,
        strip_captions=strip_captions,
        operators=operators,
        originals=originals,
        augmented=augmented,
        captions=np.array(
            [
                [_words(plan, i, before, after) for i, (before, after) in enumerate(zip(originals, made, strict=True))]
                for plan, made in zip(plans, augmented, strict=True)
            ]
        ),
        classes=np.array(["original" if is_shown else format_label(label, classes) for label in labels]),
    )


def _at_most(count: int, sample: np.ndarray) -> int:
    return count // 2 if sample.nbytes > _LARGE else count


def _words(plan: Plan, row: int, before: np.ndarray, after: np.ndarray) -> str:
    """What was done to a sample, and whether that made no difference, as where a text has no word with a synonym, or
    joined pairs would be too long. What changes only the vectors in a network cannot be seen.
    """
    names = {plan.operators[choice] for choice in plan.choice[:, row].tolist() if choice >= 0} - {IDENTITY}
    if plan.mix is not None and plan.mix.mode[row] > 0:
        names.add(mixing_of(plan.modality).kinds[int(plan.mix.mode[row]) - 1])
    is_seen = bool(names.difference(get_modality(plan.modality).in_embedding))
    return plan.describe(row) + (": no effect here" if is_seen and np.array_equal(before, after) else "")


def _strips(policy: Policy, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pass `sample` through each single operator of the policy, over the widest range that the policy has for it."""
    ranges: dict[str, tuple[float, float]] = {}
    for operation in policy.operations():
        low, high = ranges.get(operation.operator, operation.magnitude)
        ranges[operation.operator] = min(low, operation.magnitude[0]), max(high, operation.magnitude[1])
    ranges.pop(IDENTITY, None)
    strips, captions = [], []
    names = list(ranges)[: _at_most(_MOST_STRIPS, sample)]
    for name in names:
        low, high = ranges[name]
        steps = [low + (high - low) * fraction for fraction in _STRIP]
        operations = [Operation(operator=name, magnitude=(m, m), sign="positive") for m in steps]
        alone = [Policy(layers=in_turn(o)).with_learned(dict(policy.learned)) for o in operations]
        plans = [draw_plan(one, 1, torch.Generator().manual_seed(0)) for one in alone]
        strips.append([apply_plan(plan, torch.from_numpy(sample[None])).numpy()[0] for plan in plans])
        captions.append([plan.describe(0) for plan in plans])
    shape = (len(names), len(_STRIP))
    return (
        np.array(strips, sample.dtype).reshape(*shape, *sample.shape),
        np.array(captions).reshape(shape),
        np.array(names),
    )


class CaptionedSamples(NamedTuple):
    """Samples, each with a line of text.

    Attributes:
        samples: ``[n, ...]``, in storage format.
        captions: ``[n]`` text.
        fixed: ``[n]`` bool; for test samples, whether a policy corrected their predictions, rather than broke them.
    """

    samples: np.ndarray
    captions: np.ndarray
    fixed: np.ndarray


def draw_examples(test: Samples, gain: np.ndarray, captions: Sequence[str]) -> CaptionedSamples:
    """The samples whose predictions a policy corrected most, and broke most; up to `SAMPLES` each.

    Args:
        test: the samples.
        gain: ``[n]``, how much better each is predicted with the policy.
        captions: ``[n]``.
    """
    order = np.argsort(-gain, kind="stable")
    fixed, broken = order[gain[order] > 0], order[::-1][gain[order[::-1]] < 0]
    rows = np.concatenate([fixed[:SAMPLES], broken[:SAMPLES]])
    shown = np.array([captions[row] for row in rows], dtype=str)
    return CaptionedSamples(test.inputs.take(rows), shown, gain[rows] > 0)


def draw_sample_gallery(made: Samples, classes: tuple[str, ...]) -> CaptionedSamples:
    """Generated samples: the first two of each class, up to 32."""
    rows = [np.flatnonzero(made.labels == label)[:2] for label in range(len(classes))]
    kept = np.concatenate(rows)[: 4 * SAMPLES].astype(np.int64)
    captions = np.array([classes[label] for label in made.labels[kept]], dtype=str)
    return CaptionedSamples(made.inputs.take(kept), captions, np.ones(len(kept), bool))


def to_bytes(pictures: Gallery | CaptionedSamples) -> bytes:
    """The pictures as the content of an ``.npz`` file."""
    content = io.BytesIO()
    np.savez_compressed(content, **pictures._asdict())
    return content.getvalue()
