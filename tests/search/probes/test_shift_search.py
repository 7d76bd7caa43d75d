"""Matching recovers shifts planted into real digits, with the right range, and finds none if there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics.pairwise import rbf_kernel
from torch import Tensor
from torch.nn.functional import interpolate, pad

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.modalities.registry import get_modality
from autoaug.policy.models import Operation
from autoaug.search.probes import shift_search
from autoaug.search.probes.mmd import ReferenceSample
from autoaug.search.probes.shift_search import Match, _Matcher, _State, _thinned, policy_of

MODALITY = get_modality()


@pytest.fixture(scope="module")
def digits() -> Tensor:
    """``[1700, 1, 24, 24]`` in random order, with a margin that a rotation stays within."""
    pixels = torch.from_numpy(load_digits().images[:1700]).float()[:, None] / 16
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))
    return pad(interpolate(pixels[order], size=18, mode="bilinear"), (3, 3, 3, 3))


def planted(images: Tensor, *operations: Operation) -> Tensor:
    return apply_plan(draw_plan(policy_of(operations), len(images), torch.Generator().manual_seed(7)), images)


def match(inputs: Tensor, validation: Tensor) -> Match:
    return shift_search.match(inputs, validation, MODALITY)


def test_a_planted_rotation_is_found_with_its_range(digits: Tensor) -> None:
    matched = match(digits[:300], planted(digits[300:800], Operation(operator="Rotate", magnitude=(0, 0.25))))
    assert [o.operator for o in matched.operations] == ["Rotate"]
    assert matched.operations[0].magnitude[1] == pytest.approx(0.25, abs=0.06)
    assert matched.residual < 0.1 * matched.initial
    assert matched.policy is not None


@pytest.mark.slow
def test_one_sign_is_told_from_both(digits: Tensor) -> None:
    darker = Operation(operator="Brightness", magnitude=(0.2, 0.6), sign="negative")
    matched = match(digits[:300], planted(digits[300:800], darker))
    assert len(matched.operations) == 1
    assert matched.residual < 0.1 * matched.initial
    # A digit on black is darkened by brightness and by contrast alike; either way its light goes down.
    lighter = planted(digits[800:], *matched.operations).mean() / digits[800:].mean()
    assert float(lighter) == pytest.approx(0.6, abs=0.1)


def test_noise_is_found(digits: Tensor) -> None:
    noise = Operation(operator="GaussianNoise", magnitude=(0.5, 0.5))
    # More images reveal more of what is left, and the search would go on to four operations for a minute.
    matched = match(digits[:100], planted(digits[100:300], noise))
    assert {"GaussianNoise", "PoissonNoise", "SaltAndPepper"} & {o.operator for o in matched.operations}
    assert matched.residual < 0.1 * matched.initial


def test_nothing_is_found_where_nothing_is(digits: Tensor) -> None:
    matched = match(digits[:300], digits[300:800])
    assert matched.operations == ()
    assert matched.policy is None
    assert matched.residual == matched.initial


def test_a_bound_is_kept_and_slow_operators_are_left_out_first() -> None:
    sounds = get_modality("audio")
    waves = 0.1 * torch.randn(160, 1, 2000, generator=torch.Generator().manual_seed(0))
    quieter = 0.3 * waves[60:]
    most = 100 * 60
    found = shift_search.match(waves[:60], quieter, sounds, most)
    assert [o.operator for o in found.operations] == ["Gain"]
    assert set(sounds.slow_operators) <= set(found.untried)
    assert most <= found.inputs <= 1.1 * most
    assert found.operations == shift_search.match(waves[:60], quieter, sounds, most).operations
    without = shift_search.match(waves[:60], quieter, sounds, most, lacking={"Gain"})
    assert not any("Gain" in step for step, _ in without.steps), "what has nothing to work with is not tried"


def test_all_superfluous_operations_are_removed_also_those_that_changed_as_another_was() -> None:
    class Known:
        """Measures a rotation by its range, and next to nothing else."""

        def state(self, operations: Sequence[Operation]) -> _State:
            highs = {o.operator: o.magnitude[1] for o in operations}
            apart = abs(highs.get("Rotate", 0) - 0.25) + 0.001 * abs(highs.get("Contrast", 0.4) - 0.4)
            return _State(apart, tuple(operations))

        def best(self, candidates: Iterable[Sequence[Operation]]) -> _State:
            return min(map(self.state, candidates), key=lambda s: s.distance)

    known = cast("_Matcher", Known())
    given = [Operation(operator=name, magnitude=(0, 0.5)) for name in ("Brightness", "Contrast", "Sharpness", "Rotate")]
    assert [o.operator for o in _thinned(known, known.state(given), least=0.01).operations] == ["Rotate"]


def test_images_without_any_content_are_no_fault() -> None:
    assert match(torch.zeros(20, 3, 8, 8), torch.zeros(20, 3, 8, 8)).operations == ()


def test_the_discrepancy_is_the_unbiased_estimate(digits: Tensor) -> None:
    one, other = digits[:40], digits[40:100]
    blocks = [torch.cat(pair) for pair in zip(MODALITY.features(one), MODALITY.features(other), strict=True)]
    parts = []
    for block in blocks:
        deviation = block[40:].std(0)
        least = max(float(deviation.max()) * 0.05, 1e-4)
        parts.append((block - block[40:].mean(0)) / deviation.clamp(min=least) / block.shape[1] ** 0.5)
    features = torch.cat(parts, 1).double().numpy()
    x, y = features[:40], features[40:]
    apart = ((y[:, None] - y[None]) ** 2).sum(2)[~np.eye(60, dtype=bool)]
    expected = 0.0
    for width in (0.5, 1.0, 2.0):
        gamma = 1 / (2 * width**2 * np.median(apart))
        xx, yy, xy = (rbf_kernel(a, b, gamma) for a, b in ((x, x), (y, y), (x, y)))
        within = (xx.sum() - 40) / (40 * 39) + (yy.sum() - 60) / (60 * 59)
        expected += (within - 2 * xy.mean()) / 3
    assert ReferenceSample(other, MODALITY.features).distance(one) == pytest.approx(expected, abs=1e-4)


def test_the_noise_is_that_of_samples_of_one_distribution(digits: Tensor) -> None:
    target = ReferenceSample(digits[:400], MODALITY.features)
    distances = [target.distance(digits[start : start + 200]) for start in range(400, 1600, 200)]
    assert 0.4 < np.sqrt(np.mean(np.square(distances))) / target.noise(200) < 2.5
