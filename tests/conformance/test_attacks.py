"""The attacks that need nothing of a modality but its operators, over all modalities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import draw_plan
from autoaug.errors import AutoaugError
from autoaug.modalities.attacks import WorstOf
from autoaug.modalities.kinds import known_kinds
from autoaug.modalities.operators import get_operator
from autoaug.modalities.registry import all_modalities, get_modality
from autoaug.policy.loading import parse_policy
from autoaug.policy.models import Adversarial, Policy

#: Third parties may leave it out, as the toy modality does.
NAMES = [name for name, modality in all_modalities().items() if type(modality).__module__.startswith("autoaug.")]
WORST = Adversarial(kind="worst-of", epsilon=0.03, steps=4)


def own_attack(name: str) -> WorstOf:
    found = get_modality(name).attacks["worst-of"]
    assert isinstance(found, WorstOf)
    return found


def samples_of(name: str) -> Tensor:
    modality = get_modality(name)
    examples = modality.examples()
    assert examples is not None
    several = np.resize(examples, (8, *examples.shape[1:]))
    return modality.values.as_work(torch.from_numpy(several))


def any_loss(values: Tensor) -> Tensor:
    """Some number per sample that no two different samples share."""
    numbers = values.flatten(1).double()
    weights = torch.linspace(1, 2, numbers.shape[1], dtype=torch.float64).sin()
    return (numbers.remainder(1e6) * weights).sum(1).sin()


def changed_by(name: str, values: Tensor, generator: torch.Generator) -> Tensor:
    """One of the attack's changes, as a policy in the user's own words draws it."""
    reach = own_attack(name).reach
    sizes = {operator: min(1.0, WORST.epsilon * factor) for operator, factor in reach.items()}
    choices = [f"{{operations: [{{operator: {o}, magnitude: [{m}, {m}]}}]}}" for o, m in sizes.items()]
    policy = parse_policy(f"layers: [{{sub_policies: [{', '.join(choices)}]}}]")
    return apply_plan(draw_plan(policy, len(values), generator), values)


@pytest.mark.parametrize("name", NAMES)
def test_the_worst_of_several_changes_is_taken_for_each_sample(name: str) -> None:
    values = samples_of(name)
    found = own_attack(name)(any_loss, values, WORST, torch.Generator().manual_seed(5))
    generator = torch.Generator().manual_seed(5)
    candidates = torch.stack([values, *(changed_by(name, values, generator) for _ in range(WORST.steps))])
    worst = torch.stack([any_loss(some) for some in candidates]).argmax(0)
    assert torch.equal(found, candidates[worst, torch.arange(len(values))])
    assert worst.any()


@pytest.mark.parametrize("name", NAMES)
def test_what_no_change_makes_worse_stays_as_it_is(name: str) -> None:
    values = samples_of(name)

    def flat(some: Tensor) -> Tensor:
        return torch.zeros(len(some))

    assert torch.equal(own_attack(name)(flat, values, WORST, torch.Generator()), values)


@pytest.mark.parametrize("name", NAMES)
def test_its_operators_are_of_the_modality_and_no_switches(name: str) -> None:
    assert "worst-of" in known_kinds(get_modality(name))["attack"]
    for operator in map(get_operator, own_attack(name).reach):
        assert operator.modality == name
        assert not operator.is_switch  # a flip or a reversal may change the label
    assert "worst of 4 " in own_attack(name).words(WORST)


def test_images_move_as_far_as_in_its_paper() -> None:
    """30 degrees and 3 of 32 pixels (Engstrom et al., 2019, section 4), at the radius that is usual for CIFAR-10."""
    reach = own_attack("image").reach
    value = {name: reach[name] * 8 / 255 * get_operator(name).limit for name in ("Rotate", "TranslateX", "TranslateY")}
    assert value == pytest.approx({"Rotate": 30, "TranslateX": 3 / 32, "TranslateY": 3 / 32}, rel=0.1)


def test_a_norm_has_no_meaning_for_it() -> None:
    with pytest.raises(AutoaugError, match="worst-of changes samples by operators, not by norm: l2; leave norm out"):
        parse_policy("adversarial: {kind: worst-of, norm: l2}")
    assert Policy(adversarial=WORST).adversarial == WORST
