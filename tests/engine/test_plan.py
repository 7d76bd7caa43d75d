"""A plan prints; slicing, joining, saving and copying keep every bit."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan, mixing_of
from autoaug.errors import AutoaugError, OptionError
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Mixing, Policy
from tests.samples import photographs, policies_of


def plan_of(name: str, n: int = 12, seed: int = 0, mixing: Mixing | None = None) -> Plan:
    policy = load_policy(name).model_copy(update={"mixing": mixing})
    return draw_plan(policy, n, torch.Generator().manual_seed(seed))


def assert_equal(one: Plan, other: Plan) -> None:
    assert one.operators == other.operators
    assert one.tensors().keys() == other.tensors().keys()
    for name, tensor in one.tensors().items():
        assert tensor.dtype == other.tensors()[name].dtype
        assert torch.equal(tensor, other.tensors()[name]), name


@pytest.mark.parametrize("name", policies_of())
def test_a_saved_plan_replays_bit_for_bit(name: str, tmp_path: Path) -> None:
    images, plan = photographs(12), plan_of(name, mixing=Mixing(kind="mixup-or-cutmix", alpha=0.4))
    plan.save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json")
    assert_equal(plan, again)
    assert torch.equal(apply_plan(plan, images), apply_plan(again, images))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=3), st.sampled_from(["randaugment", "augmix", "none", "flip-crop"]))
def test_slices_join_to_the_whole_and_do_the_same(cuts: list[int], name: str) -> None:
    images, plan = photographs(12), plan_of(name)
    bounds = [0, *sorted(cuts), 12]
    parts = [plan[a:b] for a, b in itertools.pairwise(bounds)]
    assert_equal(Plan.concatenate(parts), plan)
    pieces = [apply_plan(p, images[a:b]) for p, a, b in zip(parts, bounds, bounds[1:], strict=False)]
    torch.testing.assert_close(torch.cat(pieces), apply_plan(plan, images), atol=1e-6, rtol=0)


def test_joined_plans_keep_their_partners() -> None:
    images = photographs(12)
    plans = [plan_of("none", 5, seed=1, mixing=Mixing(kind="cutmix")), plan_of("none", 7, 2, Mixing(kind="cutmix"))]
    joined = apply_plan(Plan.concatenate(plans), images)
    assert torch.equal(joined, torch.cat([apply_plan(plans[0], images[:5]), apply_plan(plans[1], images[5:])]))


def test_a_slice_that_parts_a_sample_from_its_partner_is_refused() -> None:
    plan = plan_of("none", mixing=Mixing(kind="mixup"))
    with pytest.raises(OptionError, match=r"sample \d+ is mixed with one outside"):
        plan[:2]
    assert_equal(plan[:], plan)


def test_a_plan_prints_a_line_a_sample() -> None:
    lines = str(plan_of("randaugment", 5)).splitlines()
    assert [line.split(":")[0] for line in lines] == ["0", "1", "2", "3", "4"]
    assert " of (" in plan_of("augmix", 3).describe(0)
    mixed = plan_of("none", 4, mixing=Mixing(kind="resizemix")).describe(1)
    assert mixed.startswith("resizemix with ")
    signed, unsigned = "{operator: Rotate, magnitude: 0.5, sign: positive}", "{operator: Cutout, magnitude: 0.5}"
    both = parse_policy(f"layers: [{{sub_policies: [{{operations: [{signed}, {unsigned}]}}]}}]")
    assert re.fullmatch(r"Rotate \+\d.*, Cutout 0\.\d.*", draw_plan(both, 1, torch.Generator()).describe(0))


@pytest.mark.parametrize("kind", mixing_of("image").kinds)
def test_every_mixing_is_described(kind: str) -> None:
    assert kind in str(plan_of("none", 4, mixing=Mixing(kind=kind)))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"operators": [], "samples": 2, "choice": 3}', '{"operators": 1}'])
def test_a_file_that_is_no_plan_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(OptionError, match="is not a saved plan"):
        Plan.load(tmp_path / "plan.json")


def test_bad_uses_are_told() -> None:
    plan = plan_of("randaugment", 3)
    with pytest.raises(OptionError, match="use a slice"):
        plan[1]  # type: ignore[index]
    with pytest.raises(OptionError, match="no plans"):
        Plan.concatenate([])
    with pytest.raises(OptionError, match="differ"):
        Plan.concatenate([plan, plan_of("none", 3)])
    with pytest.raises(OptionError, match="-1 samples"):
        draw_plan(Policy(), -1, torch.Generator())
    images = photographs(3)
    with pytest.raises(OptionError, match=r"a magnitude of the plan is 1\.5"):
        apply_plan(
            Plan(("Rotate",), torch.zeros(1, 3, dtype=torch.long), torch.full((1, 3), 1.5), plan.uniforms[:1]), images
        )
    with pytest.raises(AutoaugError, match="chooses operator 4 of 1"):
        apply_plan(Plan(("Rotate",), torch.full((1, 3), 4), torch.zeros(1, 3), plan.uniforms[:1]), images)
    with pytest.raises(AutoaugError, match="did you mean 'Rotate'"):
        apply_plan(Plan(("Rotat",), torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 3), plan.uniforms[:1]), images)


@pytest.mark.parametrize(("sign", "share"), [("both", 0.5), ("positive", 0.0), ("negative", 1.0)])
def test_an_operation_draws_the_signs_it_names(sign: str, share: float) -> None:
    operations = f"[{{operator: Rotate, sign: {sign}}}, {{operator: Cutout, sign: {sign}}}]"
    plan = draw_plan(
        parse_policy(f"layers: [{{sub_policies: [{{operations: {operations}}}]}}]"),
        4000,
        torch.Generator().manual_seed(0),
    )
    rotate, cutout = plan.magnitude
    assert abs(float((rotate < 0).double().mean()) - share) < 0.03
    assert bool((cutout >= 0).all())
