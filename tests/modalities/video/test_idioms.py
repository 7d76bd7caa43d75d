"""Exports for clips in torchvision's own words: what operators make, and the distribution of their draws.

The oracle is the engine, with steps applied one after another, as the library does.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.exporters import export_policy, is_idiomatic
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.idiomatic import AS_EXACT, check_alike, loaded
from tests.samples import clips, operators_of

WORDED = [
    name
    for name in operators_of("video")
    if name != "Identity" and is_idiomatic(Policy(layers=in_turn(Operation(operator=name))), "torchvision")
]
#: What operators draw besides their value.
RANDOM = {"VideoCutout", "VideoPadCrop", "VideoRandomResizedCrop", "VideoGaussianNoise", "VideoQuarterTurn"} | {
    "VideoChannelShuffle",
    "TemporalCrop",
    "PlaybackSpeed",
    "FrameDrop",
    "Freeze",
    "TemporalCutout",
}
FOUND = """
layers:
  - sub_policies: [{operations: [{operator: VideoHorizontalFlip, probability: 0.5, magnitude: 1}]}]
  - sub_policies:
      - {weight: 3, operations: [{operator: VideoRotate, probability: 0.6, magnitude: [0.02, 0.1], sign: positive}]}
      - {weight: 1, operations: [{operator: Freeze, magnitude: [0.2, 0.6]}, {operator: Reverse, probability: 0.4}]}
      - {weight: 2, operations: []}
  - sub_policies: [{operations: [{operator: VideoBrightness, probability: 0.5, magnitude: [0, 0.3]}]}]
"""


def clip() -> torch.Tensor:
    """A clip of which no two frames are alike, uint8 ``[6, 3, 14, 18]``."""
    return (clips(1, size=(14, 18))[0] * 255).round().byte()


def exported(policy: Policy, n: int) -> np.ndarray:
    """`n` draws of the exported module for the clip, in [0, 1]."""
    augment = loaded(policy, "torchvision")["Augment"]()
    torch.manual_seed(0)
    made: torch.Tensor = augment(clip().expand(n, -1, -1, -1, -1))
    return made.float().numpy() / 255


def engines(policy: Policy, n: int, given: torch.Tensor | None = None) -> np.ndarray:
    """`n` draws of the policy, whose steps are applied one after another."""
    plan = draw_plan(policy, n, torch.Generator().manual_seed(1))
    values = (clip() if given is None else given).float().expand(n, -1, -1, -1, -1) / 255
    for step in range(len(plan.choice)):
        rows = slice(step, step + 1)
        one = Plan(plan.operators, plan.choice[rows], plan.magnitude[rows], plan.uniforms[rows])
        values = apply_plan(one, (values * 255).round() / 255)
    return values.numpy()


def check_same_distribution(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Check that two samples of augmented clips change the clip alike, in each frame."""
    original = clip().float().numpy() / 255
    frames = np.linspace(-1, 1, len(original))
    statistics = {
        "change": lambda made: np.abs(made - original).mean((1, 2, 3, 4)),
        "brightness": lambda made: (made - original).mean((1, 2, 3, 4)),
        "left and right": lambda made: (made - original)[..., : original.shape[-1] // 2].mean((1, 2, 3, 4)),
        "early and late": lambda made: ((made - original).mean((2, 3, 4)) * frames).mean(1),
        "motion": lambda made: np.abs(np.diff(made, axis=1)).mean((1, 2, 3, 4)),
    }
    for name, statistic in statistics.items():
        own, their = (statistic(made) * 255 for made in (ours, theirs))
        check_alike(own, their, name, slack=1.0)


def test_all_but_what_varies_over_a_clip_has_words() -> None:
    image_words = {
        f"Video{name}"
        for name in operators_of("image")
        if name != "Identity" and is_idiomatic(Policy(layers=in_turn(Operation(operator=name))), "torchvision")
    }
    over_time = {"TemporalCrop", "PlaybackSpeed", "FrameDrop", "Freeze", "Reverse", "TemporalCutout"}
    assert set(WORDED) == image_words | over_time


@pytest.mark.parametrize("name", [name for name in WORDED if name not in RANDOM])
def test_pixels_are_those_of_the_operator(name: str) -> None:
    for magnitude, sign in itertools.product((0.25, 0.5, 1.0), ("positive", "negative")):
        policy = Policy(layers=in_turn(Operation(operator=name, magnitude=(magnitude, magnitude), sign=sign)))
        if not is_idiomatic(policy, "torchvision"):
            continue
        difference = np.abs(engines(policy, 1) - exported(policy, 1))
        if operators_of("video")[name].kind in ("warp", "projection"):  # the library blends the border otherwise
            covered = engines(policy, 1, torch.full_like(clip(), 255))
            difference = difference[(covered < 0.01) | (covered > 0.99)]
        most = {"VideoHue": 12, "VideoGaussianBlur": 3}.get(name, 2)
        assert (difference <= (most + 0.01) / 255).mean() > 0.97, f"{magnitude}, {sign}: {difference.max() * 255}"


@pytest.mark.slow
@pytest.mark.parametrize("name", WORDED)
def test_draws_of_an_operator_have_its_distribution(name: str) -> None:
    """With a probability, a range, and both signs."""
    for low, high in ((0.0, 0.8), (0.3, 1.0)):
        policy = Policy(layers=in_turn(Operation(operator=name, probability=0.7, magnitude=(low, high))))
        check_same_distribution(engines(policy, 400), exported(policy, 400))


@pytest.mark.parametrize("name", ["found", "video-flip-crop", "video-randaugment", "video-trivialaugment"])
def test_draws_of_a_policy_have_its_distribution(name: str) -> None:
    policy = parse_policy(FOUND) if name == "found" else load_policy(name)
    check_same_distribution(engines(policy, 600), exported(policy, 600))


def test_all_frames_of_a_clip_and_no_two_clips_are_changed_alike() -> None:
    still = clip()[:1].repeat(6, 1, 1, 1)
    moved = {"VideoRotate", "VideoBrightness", "VideoGaussianNoise", "VideoCutout", "VideoPadCrop"}
    policy = Policy(layers=in_turn(*(Operation(operator=name, magnitude=(0.1, 0.6)) for name in sorted(moved))))
    made: torch.Tensor = loaded(policy, "torchvision")["Augment"]()(still.expand(4, -1, -1, -1, -1))
    assert torch.equal(made, made[:, :1].expand_as(made))
    assert len(made.flatten(1).unique(dim=0)) == 4


@pytest.mark.parametrize(("name", "most"), [("video-flip-crop", 53), ("video-randaugment", 45)])
def test_modules_are_short(name: str, most: int) -> None:
    text = export_policy(load_policy(name), "torchvision")
    assert AS_EXACT not in text
    assert len([line for line in text.splitlines() if line.strip()]) <= most


def test_modules_take_what_users_have() -> None:
    augment = loaded(load_policy("video-flip-crop"), "torchvision")["Augment"]()
    video = clip()
    for given in (video, tv_tensors.Video(video), video[None], video.half() / 255, video.double() / 255):
        made = augment(given)
        assert (type(made), made.shape, made.dtype) == (type(given), given.shape, given.dtype)
    made, labels = augment(video[None], torch.tensor([3]))
    assert (made.shape, labels.tolist()) == (video[None].shape, [3])
    for given in (video[0], video.numpy(), video.float(), torch.full((1, 3, 4, 4), float("nan")), video[:0]):
        with pytest.raises(ValueError, match=r"clips must be \[T, C, H, W\] or"):
            augment(given)
    brighter = Policy(layers=in_turn(Operation(operator="VideoBrightness", magnitude=(0.5, 0.5))))
    with pytest.raises(TypeError, match=r"\(autoaug export --exact takes any channels\)"):
        loaded(brighter, "torchvision")["Augment"]()(torch.rand(2, 2, 8, 8))


def test_what_there_are_no_words_for_is_exported_exactly() -> None:
    mixed = load_policy("video-flip-crop").model_copy(update={"mixing": load_policy("mixup").mixing})
    for policy, reason in ((mixed, "does not mix by mixup"), (load_policy("video-dynaaugment"), "has no Dynamic")):
        assert f"{AS_EXACT} torchvision {reason}" in export_policy(policy, "torchvision", modality="video")
