"""The portfolio's shapes lie in their space, and build the policies that they describe."""

from __future__ import annotations

from typing import Any

import pytest

from autoaug.errors import SpaceError
from autoaug.modalities.operators import get_operator
from autoaug.policy.loading import load_policy
from autoaug.search.sampling import Given, sample_shaped
from autoaug.search.space import AdversarialSpace, SearchSpace, Shape, load_space, space_names
from autoaug.search.strategies.auto import Auto
from autoaug.search.strategies.base import Draw, History, SearchContext
from autoaug.search.strategies.neighbors import neighbors
from autoaug.search.strategies.portfolio import portfolio, values_of


def steps(space: SearchSpace, shape: dict[str, Any]) -> list[set[str]]:
    """The operators that each layer of a shape's policy chooses among."""
    policy = sample_shaped(space, Given(shape))
    return [{o.operator for s in layer.sub_policies for o in s.operations} for layer in policy.layers]


@pytest.mark.parametrize("name", space_names())
def test_every_shape_is_another_policy_of_the_space(name: str) -> None:
    space = load_space(name)
    policies = [sample_shaped(space, Given(shape)) for shape in portfolio(space)]
    assert len({policy.fingerprint() for policy in policies}) == len(policies) >= 2
    for policy in policies:
        assert set(policy.operator_names()) <= set(space.operator_names())
        assert (policy.mixing.kind if policy.mixing else "none") in space.mixing.kinds


def test_what_a_shape_does_not_name_is_off() -> None:
    space = load_space("standard")
    assert steps(space, values_of(space, Shape())) == []
    bare = Shape(base={"VerticalFlip": 1}, layers=2, family="quality", extra="occlusion")
    assert steps(space, values_of(space, bare)) == [
        {"VerticalFlip"},
        *[set(space.families["quality"])] * 2,
        set(space.families["occlusion"]),
    ]


def test_an_operation_that_varies_turns_each_sample_by_another_angle() -> None:
    space = load_space("standard")
    (layer,) = sample_shaped(space, Given(values_of(space, Shape(base={"Rotate": 1})))).layers
    (operation,) = layer.sub_policies[0].operations
    assert operation.magnitude == (0, 1)
    assert not get_operator("Rotate").is_switch


def test_values_are_moved_into_the_space() -> None:
    space = load_space("light")
    wild = Shape(base={"PadCrop": 1}, layers=16, family="color", strength=0, copies=8)
    values = values_of(space, wild)
    assert (values["layers"], values["PadCrop.magnitude"], values["strength"]) == (1, 0.5, 0.2)
    assert values["copies"] == space.copies[1]


@pytest.mark.parametrize("kinds", [("fgsm", "pgd"), ("pgd",)])
def test_shapes_of_a_space_with_attacks_alone_have_one(kinds: tuple[str, ...]) -> None:
    space = SearchSpace(adversarial=AdversarialSpace(kinds=kinds))
    for wanted, had in (("none", kinds[0]), (kinds[-1], kinds[-1])):
        shape = values_of(space, Shape(adversarial=wanted))
        policies = [sample_shaped(space, Given(values)) for values in (shape, *neighbors(space, shape))]
        assert policies[0].adversarial is not None
        assert policies[0].adversarial.kind == had
        assert policies[0].adversarial.epsilon == pytest.approx((0.002 * 0.03) ** 0.5)  # the middle of the default
        assert len({policy.fingerprint() for policy in policies}) == len(policies) == len(kinds)


def test_the_best_published_policy_is_tried_as_it_is_and_weaker() -> None:
    space = load_space("standard")
    plain, best = list(portfolio(space)), load_policy("randaugment")
    added = [shape for shape in portfolio(space, "randaugment") if shape not in plain]
    same, weaker = (sample_shaped(space, Given(shape), {"randaugment": best}) for shape in added)
    assert same.fingerprint() == best.fingerprint(), "which costs nothing, as it was trained as a baseline"
    highest, before = (
        [o.magnitude[1] for layer in policy.layers for s in layer.sub_policies for o in s.operations]
        for policy in (weaker, best)
    )
    assert len(highest) == len(before)
    assert all(0.7 * b == pytest.approx(h) or b == h == 1 for h, b in zip(highest, before, strict=True))


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (
            {"base": {"Invert": 1}},
            "base operation 'Invert', which its shapes cannot have; they can have: HorizontalFlip",
        ),
        ({"layers": 1, "family": "colour"}, "family 'colour'"),
        ({"extra": "colour"}, "family 'colour'"),
        ({"layers": 1}, "family None"),
        ({"mixing": "snap"}, "mixing 'snap'"),
        ({"layers_of": "augmix"}, "baseline 'augmix'"),
    ],
)
def test_a_shape_outside_the_space_is_refused_by_name(shape: dict[str, Any], words: str) -> None:
    given = {**load_space("light").model_dump(mode="json", exclude_defaults=True), "portfolio": [shape]}
    with pytest.raises(ValueError, match=f"shape 1 of the portfolio has the {words}"):
        SearchSpace.model_validate(given)


def test_a_portfolio_of_ones_own_comes_from_the_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("space") / "mine.yaml"
    file.write_text("base: [{operator: VerticalFlip}]\nportfolio: [{base: {VerticalFlip: 1}}]\n")
    assert [shape["VerticalFlip"] for shape in portfolio(load_space(file))] == ["on"]
    file.write_text("base: [{operator: VerticalFlip}]\nportfolio: [{base: {Rotate: 1}}]\n")
    with pytest.raises(SpaceError, match="shape 1 of the portfolio"):
        load_space(file)


def test_the_shortest_search_trains_the_first_shape_also_one_with_the_layers_of_a_baseline() -> None:
    space = SearchSpace.model_validate(
        {
            "families": {"all": {"Rotate": 1, "Invert": 1}},
            "layers": [0, 2],
            "baselines": ["none", "trivialaugment"],
            "portfolio": [{"layers_of": "trivialaugment", "reach": 0.5}],
        }
    )
    context = SearchContext(space, {name: load_policy(name) for name in space.baselines}, spent=0.0, budget=1.0, seed=0)
    step = Auto().next(History([], {}), context)
    assert isinstance(step, Draw)
    drawn, known = step.draw(space, Given(dict(step.fixed))), load_policy("trivialaugment")
    assert drawn.operator_names() == known.operator_names()
    highest = [max(o.magnitude[1] for o in policy.operations() if o.operator == "Rotate") for policy in (drawn, known)]
    assert highest[0] == pytest.approx(0.5 * highest[1])
