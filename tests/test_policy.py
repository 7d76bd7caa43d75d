"""The words of a policy: their YAML, their rules, and what the fingerprint depends on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoaug.errors import PolicyError, UnknownName
from autoaug.policy import (
    Adversarial,
    Branch,
    Layer,
    Mixing,
    Operation,
    Policy,
    builtin_names,
    parse_policy,
    read_policy,
)
from autoaug.transform import load_policy

unit = st.floats(0, 1)
operations = st.builds(
    Operation,
    operator=st.text(min_size=1, max_size=12),
    probability=unit,
    magnitude=st.tuples(unit, unit).map(lambda pair: tuple(sorted(pair))),
)
branches = st.builds(Branch, operations=st.lists(operations, max_size=3).map(tuple), weight=st.floats(0.01, 10))
policies = st.builds(
    Policy,
    name=st.text(max_size=20),
    layers=st.lists(st.builds(Layer, branches=st.lists(branches, min_size=1, max_size=3).map(tuple)), max_size=3).map(
        tuple
    ),
    mixing=st.none() | st.builds(Mixing, kind=st.sampled_from(["mixup", "cutmix"]), probability=unit),
    adversarial=st.none() | st.builds(Adversarial, kind=st.just("pgd"), steps=st.integers(1, 5)),
    copies=st.integers(1, 8),
)


@given(policies)
def test_yaml_round_trip(policy: Policy) -> None:
    assert parse_policy(policy.to_yaml()) == policy


@given(policies, st.text(max_size=8))
def test_the_fingerprint_ignores_the_name_alone(policy: Policy, name: str) -> None:
    assert policy.model_copy(update={"name": name}).fingerprint() == policy.fingerprint()
    assert policy.model_copy(update={"copies": policy.copies % 8 + 1}).fingerprint() != policy.fingerprint()


@pytest.mark.parametrize("name", builtin_names())
def test_built_in_policies_load_under_their_names(name: str) -> None:
    assert load_policy(name).name == name


def test_published_shapes() -> None:
    assert [len(layer.branches) for layer in read_policy("randaugment").layers] == [14, 14]
    assert [len(layer.branches) for layer in read_policy("trivialaugment").layers] == [14]
    (layer,) = read_policy("autoaugment-cifar10").layers
    assert [len(branch.operations) for branch in layer.branches] == [2] * 25


def test_names_joined_by_plus_are_applied_in_order() -> None:
    both = read_policy("flip-crop+trivialaugment")
    assert both.layers == read_policy("flip-crop").layers + read_policy("trivialaugment").layers
    assert both.name == "flip-crop+trivialaugment"


def test_two_mixings_cannot_be_joined() -> None:
    mixing = Policy(name="a", mixing=Mixing(kind="mixup"))
    with pytest.raises(PolicyError, match="at most one"):
        mixing + mixing


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "layers:\n  - branches:\n      - operations:\n          - {operator: A, magnitude: 3}\n",
            ["line 4", "magnitude", "3"],
        ),
        ("layers:\n  - branches: []\n", ["line 2", "branches"]),
        ("layers:\n  - branches:\n      - {operations: [], weight: 0}\n", ["weights", "0"]),
        ("copies: 0\n", ["line 1", "copies", "0"]),
        ("name: a\ncopys: 2\n", ["line 2", "copys", "no such field"]),
        ("mixing: {kind: mixap}\n", ["mixap"]),
        ("adversarial: {kind: fgsm, steps: 3}\n", ["fgsm", "3"]),
        ("layers: [\n", ["line", "YAML"]),
        ("- 1\n", ["mapping"]),
        ("!!python/object/apply:os.system [echo]\n", ["YAML"]),
        ("format: 2\n", ["format"]),
    ],
)
def test_a_broken_file_names_line_and_rule(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError) as error:
        read_policy(path)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_unknown_names_offer_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'randaugment'"):
        load_policy("randaugmnt")
    path = tmp_path / "p.yaml"
    path.write_text("layers:\n  - branches: [{operations: [{operator: Rotat}]}]\n")
    with pytest.raises(UnknownName, match="did you mean 'Rotate'"):
        load_policy(path)
