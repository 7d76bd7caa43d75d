"""The sample filter catches planted faults, and good samples pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.datasets import load_sample_images

from autoaug.data.inputs import MemoryInputs
from autoaug.data.loading import check_data
from autoaug.data.splits import Samples
from autoaug.generate.filter import balance, load_accept_function, train_filter
from autoaug.modalities.base import AS_SUITS
from autoaug.modalities.image.features import roughness
from autoaug.training.recipe import Recipe
from tests.tasks import data_set

LIMIT = 2**30


def test_noise_is_rough_where_images_are_smooth() -> None:
    board = np.indices((6, 8)).sum(0) % 2 * 255
    slope = np.broadcast_to(np.arange(8) * 10, (6, 8))
    images = np.stack([board, slope, np.full((6, 8), 7)])[:, None].astype(np.uint8)
    np.testing.assert_allclose(roughness(images), [255, 5, 0])
    np.testing.assert_allclose(roughness(images[..., :1, :]), [127.5, 5, 0], err_msg="a row, of half the differences")
    np.testing.assert_allclose(roughness(images[..., :1]), [127.5, 0, 0])
    noise = np.random.default_rng(0).integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
    np.testing.assert_allclose(roughness(noise), 256 / 3, rtol=0.05, err_msg="two uniform draws differ by a third")


def test_noise_is_no_photograph() -> None:
    """Of 32 pixels a side, where noise is a gray at the 16 at which distances are measured."""
    photos = load_sample_images().images
    draw = np.random.default_rng(0)
    tops, lefts, labels = draw.integers(0, 390, 300), draw.integers(0, 600, 300), np.arange(300) % 2
    crops = np.stack(
        [photos[k][top : top + 32, left : left + 32] for k, top, left in zip(labels, tops, lefts, strict=True)]
    )
    images = np.ascontiguousarray(crops.transpose(0, 3, 1, 2))
    real, held = (Samples(MemoryInputs(images[rows]), labels[rows]) for rows in (slice(200), slice(200, 300)))
    sample_filter = train_filter(data_set(real, held, "cf"), "auto", Recipe(epochs=1, batch_size=50), 0, "cpu")
    noise = draw.integers(0, 256, (100, 3, 32, 32), dtype=np.uint8)
    assert (sample_filter.judge(noise, np.zeros(100, np.int64)) == "unlike any real sample").all()
    of_real = sample_filter.judge(held.inputs.take(np.arange(100)), held.labels)
    assert (of_real == "unlike any real sample").mean() < 0.05


def test_the_gate_catches_planted_faults_and_lets_real_images_pass() -> None:
    """On digits: noise, wrong labels and copies are caught, 95 % of each, at less than 5 % of good ones dropped."""
    _, data = check_data("digits", LIMIT, AS_SUITS, (), 0)
    recipe = Recipe(epochs=10, batch_size=64)
    sample_filter = train_filter(data, "auto", recipe, 0, "cpu")
    good = data.test.inputs.take(np.arange(len(data.test)))
    labels = data.test.labels
    draw = np.random.default_rng(0)
    faults = {
        "noise": (draw.integers(0, 256, good.shape, dtype=np.uint8), labels),
        "wrong labels": (good, (labels + draw.integers(1, 10, len(labels))) % 10),
        "copies": (data.train.inputs.take(np.arange(300)), data.train.labels[:300]),
    }
    assert (sample_filter.judge(good, labels) != "").mean() < 0.05
    for name, (images, theirs) in faults.items():
        assert (sample_filter.judge(images, theirs) != "").mean() >= 0.95, name
    assert sample_filter.groups_of(good) is None, "digits have no groups"
    halves = np.where(np.arange(len(data.train)) % 2, "odd", "even")
    numbers, names = replace(sample_filter, groups=halves).groups_of(data.train.inputs.take(np.arange(8)))
    assert [names[i] for i in numbers] == list(halves[:8]), "each training image is nearest to itself"
    assert balance(numbers, np.array(["", "a copy"] * 4), 2) == ([4, 4], [4, 0])
    dropped = sample_filter.judge(good[:20], labels[:20], accept=load_accept_function("tests.rules:no_image"))
    assert "" not in dropped
    assert "by the rule" in dropped


def test_images_without_the_noise_of_real_ones_are_no_copies() -> None:
    draw = np.random.default_rng(0)
    scenes = draw.uniform(60, 190, (2, 1, 12, 12)).astype(np.float32)

    def noisy(count: int, sigma: float) -> Samples:
        labels = np.arange(count) % 2
        images = scenes[labels] + draw.normal(0, sigma, (count, 1, 12, 12))
        return Samples(MemoryInputs(images.clip(0, 255).round().astype(np.uint8)), labels)

    real, held, smooth = noisy(80, 20), noisy(40, 20), noisy(40, 4)
    sample_filter = train_filter(data_set(real, held, "ab"), "auto", Recipe(epochs=8, batch_size=16), 0, "cpu")
    assert (sample_filter.judge(smooth.inputs.take(np.arange(40)), smooth.labels) == "a copy").sum() == 0
    copies = real.inputs.take(np.arange(80)).astype(np.int16) + draw.integers(-8, 9, (80, 1, 12, 12))
    assert (sample_filter.judge(copies.clip(0, 255).astype(np.uint8), real.labels) == "a copy").all()
