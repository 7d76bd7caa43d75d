"""The schedule follows the roles of a modality's fusions, for any modality; lengths stay with their samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.schedule import make_schedule
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError, PolicyError, UnknownName
from autoaug.exporters import export_modules, export_policy
from autoaug.modalities.base import Batch, Fusion
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Operation, Policy, in_turn
from tests.samples import photographs


class Rule(Fusion):
    """A role and a carrier alone."""

    def __init__(self, role: Any, carrier: str = "") -> None:
        self.role, self.carrier = role, carrier

    def maps(self, *_: Any) -> torch.Tensor:
        raise NotImplementedError

    def apply(self, *_: Any) -> Batch:
        raise NotImplementedError


FUSIONS = {
    "one": Rule("alone"),
    "sum": Rule("joined"),
    "move": Rule("carried", "time"),
    "bend": Rule("carried", "time"),
    "tone": Rule("carried", "tones"),
    "end": Rule("closing", "time"),
}
KINDS = dict(enumerate(FUSIONS))
ONE, SUM, MOVE, BEND, TONE, END = KINDS


def schedule(*choices: int) -> list[tuple[list[str], list[str]]]:
    """Of one sample that draws these in turn, the kinds that carry and those that change it, by step."""
    steps = make_schedule(np.array(choices)[:, None], KINDS, FUSIONS)
    return [([group.kind for group in step.carried], [group.kind for group in step.groups]) for step in steps]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ((MOVE, MOVE), [(["bend"], []), ([], ["bend"])]),  # the last kind of the carrier applies all
        ((MOVE, -1, BEND), [(["bend"], []), ([], []), ([], ["bend"])]),
        ((MOVE, TONE, MOVE), [([], ["bend"]), ([], ["tone"]), ([], ["bend"])]),  # another carrier ends a run
        ((MOVE, END), [(["bend"], []), ([], ["end"])]),
        ((TONE, END), [([], ["tone"]), ([], ["end"])]),
        ((MOVE, SUM, ONE), [([], ["bend"]), ([], ["sum"]), ([], ["one"])]),
    ],
)
def test_runs_of_one_carrier_are_one(choices: tuple[int, ...], expected: list[tuple[list[str], list[str]]]) -> None:
    assert schedule(*choices) == expected


def test_every_sample_is_in_one_place_in_every_step() -> None:
    choice = np.random.default_rng(0).integers(-1, len(KINDS), (7, 50))
    for drawn, step in zip(choice, make_schedule(choice, KINDS, FUSIONS), strict=True):
        worked = [rows.samples for group in step.groups for rows in group.drawn]
        assert sorted(np.concatenate([*worked, step.resting])) == list(range(50))
        assert all((drawn[rows.samples] == rows.operator).all() for rows in step.drawn())


@pytest.mark.parametrize("name", ["randaugment", "augmix", "none"])
@pytest.mark.parametrize("fuse", [True, False])
def test_lengths_stay_with_their_samples(name: str, fuse: bool) -> None:
    images, lengths = photographs(12), torch.arange(12)
    plan = draw_plan(load_policy(name), 12, torch.Generator().manual_seed(0))
    made = apply_plan(plan, Batch(images, lengths), fuse=fuse)
    assert torch.equal(made.values, apply_plan(plan, images, fuse=fuse))
    assert made.lengths is not None
    assert torch.equal(made.lengths, lengths)
    with pytest.raises(OptionError, match="one for each of 12 samples"):
        apply_plan(plan, Batch(images, lengths[:3]))


def test_a_plan_knows_its_modality() -> None:
    generator = torch.Generator()
    assert draw_plan(load_policy("randaugment"), 2, generator).modality == "image"
    assert Plan(("Rotate",), torch.zeros(1, 2).long(), torch.zeros(1, 2), torch.zeros(1, 2, 4)).modality == "image"
    with pytest.raises(UnknownName, match="unknown modality 'smell'"):
        draw_plan(load_policy("none"), 2, generator, "smell")


def test_operators_of_two_modalities_are_refused() -> None:
    both = in_turn(Operation(operator="Rotate"), Operation(operator="SeriesGain"))
    for refuse in (lambda p: draw_plan(p, 2, torch.Generator()), PolicyTransform, lambda p: export_policy(p, "numpy")):
        with pytest.raises(PolicyError, match="'Rotate' has modality image, but 'SeriesGain' has series"):
            refuse(Policy(layers=both))


@pytest.mark.parametrize("target", ["torchvision", "kornia", "numpy", "albumentations", "keras", "timm"])
def test_a_modality_that_a_target_has_no_words_for_is_refused(target: str) -> None:
    with pytest.raises(PolicyError, match=f"{target} cannot express policies for series; export to yaml or json"):
        export_policy(load_policy("none"), target, modality="series")
    assert export_modules(load_policy("series-shift")) == {}
    assert parse_policy(export_policy(load_policy("series-shift"), "json")) == load_policy("series-shift")
