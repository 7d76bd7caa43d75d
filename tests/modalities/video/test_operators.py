"""Operators on clips: frames are what images become that draw the same, and choices of time are what they say."""

from __future__ import annotations

import kornia.augmentation as K
import numpy as np
import pytest
import torch
from scipy import stats
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError
from autoaug.modalities.base import Batch
from autoaug.modalities.operators import get_operator
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy, SubPolicy
from tests.samples import clips, operators_of

OF_IMAGES = list(operators_of())
VARYING = [name for name in operators_of("video") if name.startswith("Dynamic")]
IN_TIME = [name for name, operator in operators_of("video").items() if operator.family == "time"]


def plan_of(name: str, magnitude: float, uniforms: torch.Tensor) -> Plan:
    n = len(uniforms)
    return Plan((name,), torch.zeros(1, n, dtype=torch.long), torch.full((1, n), magnitude), uniforms[None])


def drawn(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, 4, generator=torch.Generator().manual_seed(seed))


def shown(name: str, magnitude: float, n: int = 2000, frames: int = 10) -> np.ndarray:
    """Which frame each frame shows, ``[n, frames]``; -1 for gray."""
    numbered = (0.02 * torch.arange(frames)).view(1, frames, 1, 1, 1).expand(n, -1, 1, 1, 1)
    out = apply_plan(plan_of(name, magnitude, drawn(n)), numbered.clone())[..., 0, 0, 0]
    return torch.where(out == 0.5, -1, (out / 0.02).round()).long().numpy()


def chosen(operators: list[str], kinds: int = 3) -> Policy:
    """Layers that draw one of the operators each."""
    operations = tuple(SubPolicy(operations=(Operation(operator=name, magnitude=(0, 0.8)),)) for name in operators)
    return Policy(name="chosen", layers=(Layer(sub_policies=operations),) * kinds)


def test_every_operator_of_images_is_one_of_clips() -> None:
    names = {name for name in OF_IMAGES if name != "Identity"}
    assert {f"Video{name}" for name in names} == set(operators_of("video")) - {*IN_TIME, *VARYING}
    assert {name.removeprefix("Dynamic") for name in VARYING} <= names


@pytest.mark.parametrize("magnitude", [0.3, -0.8])
def test_each_frame_is_what_the_image_becomes(magnitude: float) -> None:
    given = clips(6, frames=4)
    for name in OF_IMAGES:
        if name == "Identity":
            continue
        size = magnitude if get_operator(name).signed else abs(magnitude)
        uniforms = drawn(6, 1)
        moved = apply_plan(plan_of(f"Video{name}", size, uniforms), given)
        for t in range(4):
            torch.testing.assert_close(moved[:, t], apply_plan(plan_of(name, size, uniforms), given[:, t]), msg=name)


@pytest.mark.parametrize("name", VARYING)
def test_varying_magnitudes_are_those_of_the_image_in_each_frame(name: str) -> None:
    """A brightness tells the magnitudes of the frames, which are those of all operators that draw the same."""
    given, uniforms, image = clips(6, frames=5), drawn(6, 1), name.removeprefix("Dynamic")
    shares = curves(uniforms, 5)
    moved = apply_plan(plan_of(name, 0.7, uniforms), given)
    for t in range(5):
        plan = plan_of(image, 0.7, uniforms)
        then = Plan(plan.operators, plan.choice, plan.magnitude * shares[:, t], plan.uniforms)
        torch.testing.assert_close(moved[:, t], apply_plan(then, given[:, t]), atol=2e-3, rtol=0)
    alone = apply_plan(plan_of(name, 0.7, uniforms), given[:, :1])
    torch.testing.assert_close(alone[:, 0], apply_plan(plan_of(image, 0.7, uniforms), given[:, 0]))


def curves(uniforms: torch.Tensor, frames: int) -> torch.Tensor:
    """The magnitudes of frames as shares of the clip's, ``[n, frames]``, by how much brighter a gray clip gets."""
    gray = torch.full((len(uniforms), frames, 1, 4, 4), 0.25)
    return apply_plan(plan_of("DynamicBrightness", 0.7, uniforms), gray).mean((2, 3, 4)).sub(0.25) / (0.25 * 0.7)


def test_magnitudes_vary_smoothly_from_the_first_frame_on() -> None:
    shares = curves(drawn(2000), 64)
    torch.testing.assert_close(shares[:, 0], torch.ones(2000), atol=1e-4, rtol=0)
    assert shares.min() > -1e-4
    assert shares.max() < 1 + 1e-4
    lowest = shares.amin(1).numpy()
    assert stats.kstest(lowest, "uniform").pvalue > 1e-3, "the depth is drawn evenly"
    bends = shares.diff(dim=1).abs().amax(1)
    assert bends.max() < 0.35, "it jumps nowhere, from one of 64 frames to the next"
    assert len(shares.std(1).unique()) > 1900, "each clip has its own curve"


def test_runs_of_operators_are_those_of_images() -> None:
    """Composed warps, fields after them, joined colors: the plan of a clip is that of each frame."""
    names = [name for name in OF_IMAGES if name != "Identity"]
    plan = draw_plan(chosen(names, 4), 60, torch.Generator().manual_seed(0))
    of_clips = Plan(tuple(f"Video{n}" for n in plan.operators), plan.choice, plan.magnitude, plan.uniforms)
    given = clips(60, frames=3)
    moved = apply_plan(of_clips, given)
    for t in range(3):
        torch.testing.assert_close(moved[:, t], apply_plan(plan, given[:, t]))


def test_time_and_space_fuse_without_a_change() -> None:
    policy = chosen([*IN_TIME, "VideoRotate", "VideoScale", "VideoPerspective", "VideoElastic", "VideoContrast"], 5)
    plan, given = draw_plan(policy, 80, torch.Generator().manual_seed(0)), clips(80)
    together, apart = apply_plan(plan, given), apply_plan(plan, given, fuse=False)
    # Maps that are composed are sampled once, so that the picture stays sharper.
    assert float((together - apart).abs().mean()) < 0.02
    times = draw_plan(chosen(IN_TIME, 5), 200, torch.Generator().manual_seed(1))
    given = clips(200)
    assert torch.equal(apply_plan(times, given), apply_plan(times, given, fuse=False))


@pytest.mark.parametrize(
    ("name", "magnitude", "theirs"),
    [
        ("VideoHorizontalFlip", 1.0, K.RandomHorizontalFlip(p=1.0)),
        ("VideoVerticalFlip", 1.0, K.RandomVerticalFlip(p=1.0)),
        ("VideoInvert", 1.0, K.RandomInvert(p=1.0)),
        ("VideoRotate", 25 / 180, K.RandomRotation((25.0, 25.0), p=1.0, align_corners=True)),
        ("VideoSolarize", 0.4, K.RandomSolarize((0.6, 0.6), (0.0, 0.0), p=1.0)),
    ],
)
def test_kornia_agrees(name: str, magnitude: float, theirs: torch.nn.Module) -> None:
    """Its sequence for videos, with one draw for all frames."""
    given = clips(4, size=(15, 15))
    ours = apply_plan(plan_of(name, magnitude, drawn(4)), given)
    out = K.VideoSequential(theirs, same_on_frame=True)(given)
    difference = (ours - out).abs()[..., 2:-2, 2:-2]
    assert float((difference < 5e-3).float().mean()) > 0.995


def test_torchvision_agrees_on_videos() -> None:
    given = clips(3)
    rotated = apply_plan(plan_of("VideoRotate", 30 / 180, drawn(3)), given)
    brighter = apply_plan(plan_of("VideoBrightness", 0.5, drawn(3)), given)
    for i in range(3):
        video = tv_tensors.Video(given[i])
        turned = F.rotate(video, 30, InterpolationMode.BILINEAR)
        assert float(((rotated[i] - turned).abs() < 2e-3).float().mean()) > 0.995
        torch.testing.assert_close(brighter[i], F.adjust_brightness(video, 1.5).as_subclass(torch.Tensor))


def test_crops_keep_a_part_and_its_speed() -> None:
    rows = shown("TemporalCrop", 0.5)  # 4 of 10 frames are cut off
    assert set((rows[:, -1] - rows[:, 0]).tolist()) == {5}
    steps = np.diff(rows, axis=1)
    assert np.array_equal(steps, np.tile([1] * 5 + [0] * 4, (len(rows), 1)))
    assert stats.chisquare(np.bincount(rows[:, 0])).pvalue > 1e-3, "each beginning is as likely"
    assert set(rows[:, 0].tolist()) == set(range(5))


def test_speeds_are_those_that_were_asked_for() -> None:
    twice, half = shown("PlaybackSpeed", 1 / 1.5), shown("PlaybackSpeed", -1 / 1.5)
    inside = (twice[:, 1:] < 9) & (twice[:, :-1] > 0)
    assert set(np.diff(twice, axis=1)[inside].tolist()) <= {2}
    assert {0, 9} <= set(twice.ravel().tolist())
    assert (twice[:, 0] <= 1).all()
    assert (twice[:, -1] >= 8).all(), "all of a faster clip is shown"
    assert set((half[:, -1] - half[:, 0]).tolist()) <= {4, 5}
    assert set(np.diff(half, axis=1).ravel().tolist()) == {0, 1}


def test_frames_are_dropped_at_the_rate_that_was_asked_for() -> None:
    rows = shown("FrameDrop", 0.5)
    assert (rows[:, 0] == 0).all()
    stays = rows[:, 1:] == rows[:, :-1]
    assert stats.binomtest(int(stays.sum()), stays.size, 0.4).pvalue > 1e-3
    lost, time = rows != np.arange(10), np.arange(10)
    before = np.maximum.accumulate(np.where(lost, 0, time), axis=1)
    assert np.array_equal(rows, before), "the one before stays"


def test_a_freeze_ends_and_a_cutout_is_gray() -> None:
    for name, size in (("Freeze", 4), ("TemporalCutout", 3)):
        rows = shown(name, 0.5)
        other = rows != np.arange(10)
        assert set(other.sum(1).tolist()) == {size}
        first = other.argmax(1)
        for row, begin in zip(rows[:200], first, strict=False):
            assert set(row[begin : begin + size].tolist()) == ({-1} if name == "TemporalCutout" else {begin - 1})


@pytest.mark.parametrize("name", [name for name in operators_of("video") if get_operator(name).family == "time"])
def test_a_clip_of_one_frame_keeps_it(name: str) -> None:
    assert not shown(name, 1.0, n=50, frames=1).any()


def test_reversal_is_a_flip_of_time_and_its_own_inverse() -> None:
    given = clips(5)
    plan = plan_of("Reverse", 1.0, drawn(5))
    assert torch.equal(apply_plan(plan, given), given.flip(1))
    assert torch.equal(apply_plan(plan, apply_plan(plan, given)), given)


@pytest.mark.parametrize("kind", ["mixup", "cutmix", "resizemix", "samplepairing"])
def test_clips_are_mixed_frame_by_frame_as_images_are(kind: str) -> None:
    """The same draws mix the frames of one time; labels are mixed by the same weights."""
    given, labels = clips(12), torch.eye(3)[torch.arange(12) % 3]
    policy = load_policy("none").model_copy(update={"name": kind, "mixing": Mixing(kind=kind, alpha=0.5)})
    mixed, soft = PolicyTransform(policy, seed=1, modality="video")(given, labels)
    for t in (0, 3, 5):
        images, own = PolicyTransform(policy, seed=1, modality="image")(given[:, t].contiguous(), labels)
        torch.testing.assert_close(mixed[:, t], images)
        torch.testing.assert_close(soft, own)


def test_types_of_users_come_back() -> None:
    transform = load_policy("video-flip-crop").transform(seed=0)
    video = tv_tensors.Video((clips(1)[0] * 255).byte())
    out = transform(video)
    assert type(out) is tv_tensors.Video
    assert out.shape == video.shape
    array = (clips(2) * 255).byte().numpy().transpose(0, 1, 3, 4, 2)
    for given in (array, array[0]):
        made = transform(given)
        assert made.shape == given.shape
        assert made.dtype == np.uint8
    both = transform((torch.from_numpy(array).permute(0, 1, 4, 2, 3), ["b", "a"]))
    assert both[1] == ["b", "a"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (torch.rand(3, 8, 8), "clips must be"),
        (torch.rand(0, 3, 8, 8), "at least one pixel"),
        (2 * torch.rand(4, 3, 8, 8), "must be"),
        (torch.zeros(4, 3, 8, 8, dtype=torch.int32), "floating point in"),
        (np.zeros((4, 3, 8, 8), np.uint8), "arrays of clips"),
    ],
)
def test_other_inputs_are_refused(given: object, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        load_policy("video-flip-crop").transform(seed=0)(given)


def test_attacks_and_corruptions_stay_in_bounds() -> None:
    modality, given = get_modality("video"), clips(3)
    assert len(modality.corruptions) == 15
    assert set(modality.few_corruptions) < set(modality.corruptions)
    for name, corrupt in modality.corruptions.items():
        sizes = [float((corrupt(given, severity) - given).abs().mean()) for severity in (1, 5)]
        assert 0 < sizes[0] < sizes[1], name
    noisy = modality.corruptions["gaussian noise"](given, 3) - given
    assert float((noisy[:, 0] - noisy[:, 1]).abs().mean()) > 0.01, "each frame has its own noise"


def test_the_network_sees_which_way_things_move() -> None:
    """It learns to tell a clip from itself played backward, which no single frame tells."""
    modality = get_modality("video")
    model = modality.models.build("auto", (6, 3, 10, 13), 2, torch.zeros(6), torch.ones(6), seed=0)
    given, labels = torch.cat([clips(24), clips(24).flip(1)]), torch.arange(48) // 24
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(12):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(given), labels).backward()
        optimizer.step()
    assert float((model(given).argmax(1) == labels).float().mean()) == 1.0
    still = modality.models.build("auto", (1, 1, 70, 90), 3, torch.zeros(1), torch.ones(1), seed=0)
    assert still(torch.rand(2, 1, 1, 70, 90)).shape == (2, 3)


def test_features_tell_a_clip_from_a_still_and_gradients_reach_it() -> None:
    modality, given = get_modality("video"), clips(4).requires_grad_()
    blocks = torch.cat(modality.features(given), 1)
    assert blocks.isfinite().all()
    still = torch.cat(modality.features(given[:, :1].expand(-1, 6, -1, -1, -1)), 1)
    assert float((blocks - still).detach().abs().amax(1).min()) > 0.01
    (gradient,) = torch.autograd.grad(blocks.square().sum(), given)
    assert gradient.isfinite().all()
    stored = (given.detach() * 255).byte().numpy()
    assert modality.copy_vectors(stored).shape[0] == 4
    rough = modality.roughness(np.random.default_rng(0).integers(0, 256, stored.shape).astype(np.uint8))
    assert (rough > 3 * modality.roughness(stored)).all()


def test_an_empty_batch_stays_empty() -> None:
    given = torch.zeros(0, 4, 3, 8, 8)
    plan = draw_plan(chosen(["VideoRotate", "Reverse", "VideoContrast"]), 0, torch.Generator())
    assert apply_plan(plan, Batch(given)).values.shape == given.shape
