"""The published policies give the same images as torchvision, for every operator and magnitude bin."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2._auto_augment import AugMix, AutoAugment, RandAugment, TrivialAugmentWide

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan
from autoaug.errors import PolicyError
from autoaug.modalities.operators import get_operator
from autoaug.policy.loading import load_policy, published_policy
from autoaug.policy.models import Operation, Policy
from tests.conformance.test_exporters import photographs

#: torchvision's name for an operator where it is not ours.
THEIR_NAMES = {"Saturation": "Color"}


def ours(operation: Operation, share: float, images: torch.Tensor, sign: float = 1.0) -> torch.Tensor:
    """The operation at a share of its magnitude range."""
    low, high = operation.magnitude
    n = len(images)
    signed = sign if get_operator(operation.operator).signed else 1.0
    magnitude = torch.full((1, n), signed * (low + share * (high - low)))
    plan = Plan((operation.operator,), torch.zeros(1, n, dtype=torch.long), magnitude, torch.zeros(1, n, 4))
    return apply_plan(plan, images)


def theirs(policy: object, name: str, magnitude: float, images: torch.Tensor) -> torch.Tensor:
    """torchvision on uint8 for what has levels, as it is used, else on floats."""
    return torch.stack(
        [
            policy._apply_image_or_video_transform(  # type: ignore[attr-defined]
                # Their tables are in float32: 15.999999 pixels are cut off to 15.
                image,
                name,
                round(magnitude, 5),
                interpolation=InterpolationMode.BILINEAR,
                fill={},
            )
            for image in images
        ]
    )


def assert_same(operation: Operation, policy: object, magnitude: float, share: float, size: int) -> None:
    images = (photographs(3, size=(size, size)) * 250).round() / 255  # white is solarized by them at any threshold
    name = THEIR_NAMES.get(operation.operator, operation.operator)
    sign = -1.0 if magnitude < 0 else 1.0
    expected = theirs(policy, name, magnitude, (images * 255).round().byte()).float() / 255
    difference = (ours(operation, share, images, sign) - expected).abs()
    close = float((difference <= 2.1 / 255).float().mean())  # they round to levels, also on the way
    assert close > 0.99, f"{name} at {magnitude:g}: {close:.3f} of the pixels agree, worst {difference.max():.3f}"


def single(policy: Policy, layer: int = 0) -> list[Operation]:
    """The operations of a layer whose sub-policies have one each."""
    return [sub_policy.operations[0] for sub_policy in policy.layers[layer].sub_policies]


@pytest.mark.parametrize("m", range(0, 31, 3))
def test_randaugment_at_every_strength(m: int) -> None:
    peer = RandAugment(magnitude=m)
    policy = load_policy(f"randaugment(2,{m})")
    assert [THEIR_NAMES.get(o.operator, o.operator) for o in single(policy)] == list(peer._AUGMENTATION_SPACE)
    for operation in single(policy):
        magnitudes, signed = peer._AUGMENTATION_SPACE[THEIR_NAMES.get(operation.operator, operation.operator)]
        table = magnitudes(31, 24, 24)
        magnitude = 0.0 if table is None else float(table[m])
        for sign in (1, -1) if signed else (1,):
            assert_same(operation, peer, sign * magnitude, 1.0, 24)
        assert get_operator(operation.operator).signed == signed


def test_randaugment_alone_is_two_operators_at_nine() -> None:
    assert load_policy("randaugment").layers == load_policy("randaugment(n=2, m=9)").layers
    with pytest.raises(PolicyError, match="n from 1 to 16 and m from 0 to 30, not n = 2, m = 31"):
        load_policy("randaugment(2,31)")


@pytest.mark.parametrize("strength", range(0, 31, 5))
def test_trivialaugment_wide_at_every_strength(strength: int) -> None:
    peer = TrivialAugmentWide()
    operations = single(load_policy("trivialaugment-wide"))
    assert [THEIR_NAMES.get(o.operator, o.operator) for o in operations] == list(peer._AUGMENTATION_SPACE)
    for operation in operations:
        magnitudes, signed = peer._AUGMENTATION_SPACE[THEIR_NAMES.get(operation.operator, operation.operator)]
        size = 224 if operation.operator.startswith("Translate") else 24  # they move 32 pixels whatever the size
        table = magnitudes(31, size, size)
        magnitude = 0.0 if table is None else float(table[strength])
        for sign in (1, -1) if signed else (1,):
            assert_same(operation, peer, sign * magnitude, strength / 30, size)


@pytest.mark.parametrize("strength", [0, 10, 20, 30])
def test_trivialaugment_has_randaugments_ranges(strength: int) -> None:
    peer = RandAugment(magnitude=strength)
    for operation in single(load_policy("trivialaugment")):
        magnitudes, _ = peer._AUGMENTATION_SPACE[THEIR_NAMES.get(operation.operator, operation.operator)]
        table = magnitudes(31, 24, 24)
        assert_same(operation, peer, 0.0 if table is None else float(table[strength]), strength / 30, 24)


@pytest.mark.parametrize(
    ("name", "found_on"),
    [
        ("autoaugment-cifar10", v2.AutoAugmentPolicy.CIFAR10),
        ("autoaugment-imagenet", v2.AutoAugmentPolicy.IMAGENET),
        ("autoaugment-svhn", v2.AutoAugmentPolicy.SVHN),
    ],
)
def test_autoaugment_pair_by_pair(name: str, found_on: v2.AutoAugmentPolicy) -> None:
    peer = AutoAugment(found_on)
    pairs = peer._get_policies(found_on)
    sub_policies = load_policy(name).layers[0].sub_policies
    assert len(sub_policies) == len(pairs) == 25
    for sub_policy, pair in zip(sub_policies, pairs, strict=True):
        for operation, (their_name, probability, strength) in zip(sub_policy.operations, pair, strict=True):
            assert THEIR_NAMES.get(operation.operator, operation.operator) == their_name
            assert operation.probability == probability
            magnitudes, signed = peer._AUGMENTATION_SPACE[their_name]
            table = magnitudes(10, 24, 24)
            magnitude = 0.0 if table is None else float(table[strength])
            for sign in (1, -1) if signed else (1,):
                assert_same(operation, peer, sign * magnitude, 1.0, 24)


def test_augmix_has_torchvisions_operators_and_ranges() -> None:
    peer, policy = AugMix(), load_policy("augmix")
    assert {THEIR_NAMES.get(o.operator, o.operator) for o in single(policy)} == set(peer._AUGMENTATION_SPACE)
    assert policy.chains is not None
    assert policy.chains.width == peer.mixture_width
    assert len(policy.layers) == 3
    for operation in single(policy):
        magnitudes, _ = peer._AUGMENTATION_SPACE[THEIR_NAMES.get(operation.operator, operation.operator)]
        table = magnitudes(peer._PARAMETER_MAX, 24, 24)
        for strength in (0, peer.severity - 1):
            assert_same(
                operation, peer, 0.0 if table is None else float(table[strength]), strength / (peer.severity - 1), 24
            )


def test_uniformaugment_is_two_of_fifteen_operators_half_the_time() -> None:
    policy = load_policy("uniformaugment")
    assert [len(layer.sub_policies) for layer in policy.layers] == [15, 15]
    assert {operation.probability for operation in policy.operations()} == {0.5}


warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")


def test_a_file_or_a_run_is_no_published_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison judges those against the published ones, whatever they are called."""
    for name in ("flip-crop", "randaugment(2,5)", "flip-crop+mixup"):
        policy = published_policy(name)
        assert policy is not None
        assert policy.fingerprint() == load_policy(name).fingerprint()
    load_policy("flip-crop").save(tmp_path / "mine.yaml")
    (tmp_path / "run").mkdir()
    load_policy("flip-crop").save(tmp_path / "run/policy.yaml")
    monkeypatch.chdir(tmp_path)
    for name in ("mine.yaml", "run", str(tmp_path / "mine.yaml"), "mine.yaml+mixup", "mixup+cutmix"):
        assert published_policy(name) is None


@pytest.mark.parametrize("name", ["runs/none", "none.yaml"])
def test_a_path_without_anything_there_is_no_misspelled_name(name: str) -> None:
    for joined in (name, f"{name}+mixup", f"mixup+{name}"):
        with pytest.raises(PolicyError, match=f"there is no policy file or run folder '{name}'"):
            load_policy(joined)


def test_paths_are_joined_with_names(tmp_path: Path) -> None:
    load_policy("flip-crop").save(tmp_path / "mine.yaml")
    for name in (f"{tmp_path}/mine.yaml+mixup", f"mixup+{tmp_path}/mine.yaml"):
        assert load_policy(name).fingerprint() == load_policy("flip-crop+mixup").fingerprint()
