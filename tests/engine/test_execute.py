"""The fused engine gives the same images as applying the operators one by one, on every device and form of input."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from autoaug.engine import execute as engine
from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.errors import OptionError
from autoaug.modalities.operators import get_operator
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy, SubPolicy
from tests.conformance.test_exporters import photographs
from tests.samples import distinct_operators, operators_of, typical

WARPS = sorted(o.name for o in operators_of().values() if o.kind in {"warp", "projection"})
OTHERS = sorted(o.name for o in operators_of().values() if o.kind not in {"warp", "projection"})


def policy_of(layers: list[list[str]], magnitude: tuple[float, float] = (0.0, 0.4)) -> Policy:
    """Each layer draws one of its operators; switches are on."""

    def alone(name: str) -> SubPolicy:
        range_of = (1.0, 1.0) if get_operator(name).is_switch else magnitude
        return SubPolicy(operations=(Operation(operator=name, magnitude=range_of),))

    return Policy(layers=tuple(Layer(sub_policies=tuple(alone(name) for name in names)) for names in layers))


def drawn(policy: Policy, n: int, seed: int = 0) -> Plan:
    return draw_plan(policy, n, torch.Generator().manual_seed(seed))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(OTHERS), min_size=1, max_size=4), max_size=3), st.integers(0, 99))
def test_without_warps_the_fused_path_is_the_reference(layers: list[list[str]], seed: int) -> None:
    images, plan = photographs(10), drawn(policy_of(layers), 10, seed)
    torch.testing.assert_close(apply_plan(plan, images), apply_plan(plan, images, fuse=False), atol=1e-4, rtol=0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WARPS), min_size=1, max_size=4), min_size=2, max_size=4), st.integers(0, 99))
def test_fused_warps_are_the_composition(layers: list[list[str]], seed: int) -> None:
    """On an image that is linear in x and y bilinear sampling is exact, so one sampling must equal one after another,
    wherever neither has seen the border or beyond.
    """
    y, x = torch.meshgrid(torch.linspace(0.2, 0.8, 64), torch.linspace(0.2, 0.8, 64), indexing="ij")
    ramp = torch.stack([x, y, (x + y) / 2])[None].repeat(8, 1, 1, 1).double()
    plan = drawn(policy_of(layers, (0.0, 0.12)), 8, seed)
    if any("Perspective" in layer for layer in layers):
        plan = Plan(plan.operators, plan.choice, plan.magnitude * 0.5, plan.uniforms)
    fused, reference = apply_plan(plan, ramp), apply_plan(plan, ramp, fuse=False)
    inside = torch.zeros_like(ramp)
    inside[..., 5:-5, 5:-5] = 1
    seen = apply_plan(plan, inside, fuse=False) > 1 - 1e-6
    assume(seen.any())
    mask = seen & (apply_plan(plan, inside) > 1 - 1e-6)
    assert mask.sum() > 0.9 * seen.sum(), "sampled once, no more of the border is seen"
    tolerance = 2e-3 if any("Perspective" in layer for layer in layers) else 1e-4  # projected, it is no longer linear
    assert (fused - reference)[mask].abs().max() < tolerance


def test_the_order_of_a_sample_is_kept_among_others() -> None:
    """Warps before and after colors, in samples whose operators come in different orders."""
    layers = [["Invert", "Rotate", "Posterize"], ["Rotate", "Elastic", "Brightness"], ["Solarize", "ShearX", "Invert"]]
    images, plan = photographs(60), drawn(policy_of(layers), 60)
    whole = apply_plan(plan, images)
    for i in range(0, 60, 7):
        alone = apply_plan(plan[i : i + 1], images[i : i + 1])
        torch.testing.assert_close(whole[i : i + 1], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "choice", [[[-1, -1], [0, -1]], [[0, -1], [-1, -1], [1, 0]], [[-1, -1]], [[0, 1], [0, 0], [1, 0]]]
)
def test_steps_in_which_few_or_none_draw(choice: list[list[int]]) -> None:
    images, uniforms = photographs(2), torch.zeros(len(choice), 2, 4)
    plan = Plan(("Invert", "Brightness"), torch.tensor(choice), torch.full((len(choice), 2), 0.6), uniforms)
    torch.testing.assert_close(apply_plan(plan, images), apply_plan(plan, images, fuse=False), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", distinct_operators())
@pytest.mark.parametrize("magnitude", [0.0, 0.7])
@pytest.mark.parametrize("learned", [False, True])
def test_samples_that_all_do_the_same_are_not_touched(name: str, magnitude: float, learned: bool) -> None:
    """They are not copied into the order of their operators, so that an operator has those of the user."""
    given = typical(name, 3).requires_grad_(learned)
    before = given.detach().clone()
    plan = Plan((name,), torch.zeros(1, 3, dtype=torch.long), torch.full((1, 3), magnitude), torch.rand(1, 3, 4))
    made = apply_plan(plan, given)
    assert made.data_ptr() != given.data_ptr(), "the result is the user's own memory"
    with torch.no_grad():
        made.add_(1)
    assert torch.equal(given.detach(), before)


def test_a_warp_before_a_field_is_one_sampling() -> None:
    images = photographs(6)
    plan = drawn(policy_of([["TranslateX"], ["PatchShuffle"]], (1.0, 1.0)), 6)
    still = Plan(plan.operators, plan.choice, plan.magnitude * torch.tensor([[0.0], [1.0]]), plan.uniforms)
    torch.testing.assert_close(apply_plan(still, images), apply_plan(still, images, fuse=False), atol=1e-5, rtol=0)
    assert apply_plan(plan, images).abs().max() < 1e-6, "all moved out of the frame, then shuffled"


@pytest.mark.parametrize("name", ["randaugment", "augmix", "flip-crop+trivialaugment-wide"])
@pytest.mark.parametrize("kind", [None, "cutmix", "resizemix"])
def test_chunks_do_not_show(name: str, kind: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy(name).model_copy(update={"mixing": Mixing(kind=kind) if kind else None})
    images, plan = photographs(23), drawn(policy, 23)
    whole = apply_plan(plan, images)
    monkeypatch.setitem(engine._CHUNK_BYTES, "cpu", 5 * 4 * images[0].numel())
    torch.testing.assert_close(apply_plan(plan, images), whole, atol=1e-6, rtol=0)
    images.requires_grad_()
    torch.testing.assert_close(apply_plan(plan, images), whole, atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["none", "randaugment", "augmix"])
def test_out_is_filled_and_returned(name: str) -> None:
    images, plan = photographs(9), drawn(load_policy(name), 9)
    out = torch.full_like(images, torch.nan)
    assert apply_plan(plan, images, out=out) is out
    assert torch.equal(out, apply_plan(plan, images))
    with pytest.raises(OptionError, match="they must match"):
        apply_plan(plan, images, out=out[:3])


@pytest.mark.parametrize("kind", ["mixup", "cutmix", "resizemix", "samplepairing"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_forms_of_input_give_the_same_images(kind: str, channels: int) -> None:
    policy = load_policy("randaugment").model_copy(update={"mixing": Mixing(kind=kind)})
    images, plan = photographs(12, channels), drawn(policy, 12)
    expected = apply_plan(plan, images)
    last = images.to(memory_format=torch.channels_last)
    torch.testing.assert_close(apply_plan(plan, last), expected, atol=1e-5, rtol=0)
    assert apply_plan(plan, last).is_contiguous(memory_format=torch.channels_last)
    levels = apply_plan(plan, (images * 255).round().byte())
    assert levels.dtype == torch.uint8
    assert (levels.float() / 255 - expected).abs().quantile(0.999) <= 1 / 255
    strided = torch.cat([images, images], 3)[..., : images.shape[3]]
    assert not strided.is_contiguous()
    torch.testing.assert_close(apply_plan(plan, strided), expected, atol=1e-5, rtol=0)
    for dtype, tolerance in ((torch.float16, 0.01), (torch.bfloat16, 0.03)):
        half = apply_plan(plan, images.to(dtype))
        assert half.dtype == dtype
        assert (half.float() - expected).abs().mean() < tolerance


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.full((2, 3, 4, 4), torch.nan), "the samples have NaN"),
        (torch.full((2, 3, 4, 4), torch.inf), "values from inf to inf"),
        (torch.full((2, 3, 4, 4), 255.0), "values from 255 to 255; they must be finite and in"),
        (torch.full((2, 3, 4, 4), -0.1), "values from -0.1"),
        (torch.zeros(2, 3, 4), r"must be \[B, C, H, W\]"),
        (torch.zeros(2, 3, 4, 4, dtype=torch.int32), "not torch.int32"),
        (torch.zeros(3, 3, 4, 4), "the plan is for 2 samples, not 3"),
    ],
)
def test_bad_images_are_told(images: torch.Tensor, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        apply_plan(drawn(load_policy("randaugment"), 2), images)


def test_the_look_at_values_can_be_turned_off() -> None:
    images = torch.full((2, 3, 4, 4), 7.0)
    assert torch.equal(apply_plan(drawn(load_policy("none"), 2), images, check=False), images)


def test_an_empty_batch_stays_empty() -> None:
    for name in ("none", "randaugment", "augmix"):
        assert apply_plan(drawn(load_policy(name), 0), torch.zeros(0, 3, 5, 5)).shape == (0, 3, 5, 5)


def test_extra_memory_is_bounded() -> None:
    """The allocations alive at once, as PyTorch's profiler sees them, at most 2.5 times the batch."""
    from torch.profiler import ProfilerActivity, profile

    images = torch.rand(192, 3, 96, 96)
    policy = load_policy("randaugment").model_copy(update={"mixing": Mixing(kind="cutmix")})
    plan = drawn(policy, len(images))
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        apply_plan(plan, images)
    alive = peak = 0
    for event in record.profiler.kineto_results.events():  # type: ignore[union-attr]
        if event.name() == "[memory]":
            alive += event.nbytes()
            peak = max(peak, alive)
    assert peak <= 2.5 * images.nbytes, f"{peak / images.nbytes:.2f} times the batch"


def test_a_compiler_takes_a_plan_without_a_break() -> None:
    policy = load_policy("randaugment").model_copy(update={"mixing": Mixing(kind="mixup")})
    images = photographs(6)
    compiled = torch.compile(lambda plan, x: apply_plan(plan, x) * 2, fullgraph=True, backend="aot_eager")
    for seed in range(3):
        plan = drawn(policy, 6, seed)
        torch.testing.assert_close(compiled(plan, images), apply_plan(plan, images) * 2)
    images.requires_grad_()
    plan = drawn(policy, 6)
    (ours,) = torch.autograd.grad(compiled(plan, images).square().sum(), images)
    (theirs,) = torch.autograd.grad((apply_plan(plan, images) * 2).square().sum(), images)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("layers", [[["Brightness"], ["Rotate"]], [["Rotate", "Contrast"], ["ShearX", "Saturation"]]])
def test_gradients_match_finite_differences(layers: list[list[str]]) -> None:
    """Of images, magnitudes and mixing, in double precision."""
    plan = drawn(policy_of(layers, (0.1, 0.3)), 4)
    images = (0.4 + 0.2 * torch.rand(4, 3, 6, 5, dtype=torch.float64)).requires_grad_()
    magnitude = plan.magnitude.double().requires_grad_()

    def fused(x: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
        return apply_plan(Plan(plan.operators, plan.choice, m, plan.uniforms), x)

    torch.manual_seed(0)  # of the directions along which the two are compared: many times as fast as one by one
    assert torch.autograd.gradcheck(fused, (images, magnitude), eps=1e-6, atol=1e-4, fast_mode=True)
