"""A policy in pictures."""

from __future__ import annotations

import numpy as np
import pytest

from autoaug.data.inputs import MemoryInputs
from autoaug.data.labels import kind_of
from autoaug.data.splits import DataSet, Samples
from autoaug.modalities.registry import get_modality
from autoaug.pipeline.pictures import DRAWN, SAMPLES, draw_examples, draw_gallery, draw_sample_gallery
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Mixing, Operation, Policy, in_turn
from tests.conftest import bars


def series(n: int) -> Samples:
    """Series ``[2, 5]`` of two classes, each full of its own number."""
    values = np.arange(n, dtype=np.float32)[:, None, None].repeat(2, 1).repeat(5, 2)
    return Samples(MemoryInputs(values), np.arange(n) % 2)


def test_a_gallery_has_a_sample_of_every_class_and_each_operator_over_its_range() -> None:
    images, labels = bars(30, classes=3)
    samples = Samples(MemoryInputs(images.transpose(0, 3, 1, 2)), labels)
    data = DataSet("bars", ("a", "b", "c"), samples, samples, samples, "", "")
    gallery = draw_gallery(load_policy("randaugment"), data, seed=1)
    assert set(gallery.classes[:3]) == {"a", "b", "c"}
    assert gallery.augmented.shape == (DRAWN, SAMPLES, 1, 12, 12)
    assert gallery.strips.shape == (len(gallery.operators), 5, 1, 12, 12)
    assert gallery.strips.dtype == np.uint8
    again = draw_gallery(load_policy("randaugment"), data, seed=1)
    assert all(np.array_equal(a, b) for a, b in zip(gallery, again, strict=True))


def test_captions_tell_what_had_no_effect() -> None:
    gray = Samples(MemoryInputs(np.full((9, 3, 12, 12), 127, np.uint8)), np.arange(9) % 2)
    data = DataSet("gray", ("a", "b"), gray, gray, gray, "", "")
    for operator, has_effect in (("HorizontalFlip", False), ("Invert", True), ("Identity", True)):
        gallery = draw_gallery(Policy(layers=in_turn(Operation(operator=operator, magnitude=1))), data, seed=0)
        assert all(caption.endswith(": no effect here") != has_effect for caption in gallery.captions.ravel()), operator
    mixed = draw_gallery(Policy(mixing=Mixing(kind="mixup")), data, seed=0)
    assert all(caption.endswith(": no effect here") for caption in mixed.captions.ravel()), "all samples are alike"


def test_a_pair_of_texts_is_not_shown_as_its_label_again() -> None:
    labels = np.array([[[104, 105]], [[104, 111]]]).repeat(2, 1)  # of the kind of translations
    assert kind_of(labels) == "translation"
    tokens = np.zeros((2, *get_modality("translation").examples().shape[1:]), np.int64)  # type: ignore[union-attr]
    data = Samples(MemoryInputs(tokens), labels)
    pairs = DataSet("pairs", ("h", "i", "o"), data, data, data, "", "", modality="translation")
    assert draw_gallery(load_policy("none"), pairs, seed=0).classes.tolist() == ["original"] * 2


def test_examples_are_those_that_changed_most_whatever_their_shape() -> None:
    test = series(4)
    examples = draw_examples(test, np.array([0.0, 1.0, 0.5, -1.0]), ["same", "set right", "half", "broken"])
    assert examples.samples[:, 0, 0].tolist() == [1, 2, 3]
    assert examples.samples.dtype == np.float32
    assert examples.fixed.tolist() == [True, True, False]
    assert examples.captions.tolist() == ["set right", "half", "broken"]


@pytest.mark.parametrize("n", [3, 100])
def test_generated_samples_are_two_of_each_class(n: int) -> None:
    gallery = draw_sample_gallery(series(n), ("even", "odd"))
    assert (
        gallery.captions.tolist() == ["even", "even", "odd", "odd"][: min(n, 4)] if n > 3 else ["even", "even", "odd"]
    )
    assert gallery.fixed.all()
