"""The fields of a policy: their YAML, their rules, and what the fingerprint depends on."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoaug.errors import PolicyError, UnknownName
from autoaug.policy.loading import builtin_names, load_policy, parse_policy, read_policy
from autoaug.policy.models import Adversarial, Layer, Mixing, Operation, Policy, SubPolicy, in_turn
from autoaug.report.tables.uniformity import uniformity

unit = st.floats(0, 1)
operations = st.builds(
    Operation,
    operator=st.text(min_size=1, max_size=12),
    probability=unit,
    magnitude=st.tuples(unit, unit).map(lambda pair: tuple(sorted(pair))),
)
sub_policies = st.builds(SubPolicy, operations=st.lists(operations, max_size=3).map(tuple), weight=st.floats(0.01, 10))
policies = st.builds(
    Policy,
    name=st.text(max_size=20),
    layers=st.lists(
        st.builds(Layer, sub_policies=st.lists(sub_policies, min_size=1, max_size=3).map(tuple)), max_size=3
    ).map(tuple),
    mixing=st.none() | st.builds(Mixing, kind=st.sampled_from(["mixup", "cutmix"]), probability=unit),
    adversarial=st.none() | st.builds(Adversarial, kind=st.just("pgd"), steps=st.integers(1, 5)),
    copies=st.integers(1, 8),
)


@given(policies)
@pytest.mark.fault("properties", "a policy is the same after YAML")
def test_yaml_round_trip(policy: Policy) -> None:
    assert parse_policy(policy.to_yaml()) == policy
    assert parse_policy(json.dumps(policy.model_dump(mode="json"))) == policy


LOOKS_LIKE = ["1e-1", "1e5", "null", "~", "yes", "off", "0o17", "1_000", ".5", "2020-01-01", "1:30", "=", "<<", "", " "]


@pytest.mark.parametrize("name", [*LOOKS_LIKE, "😀", "a\nb", "a: b # c", "\ufeff", "\x85", "!x", "*a", "汉字"])
def test_names_that_look_like_something_else_read_back(name: str) -> None:
    policy = Policy(name=name, layers=in_turn(Operation(operator=name, magnitude=(1e-7, 0.1))))
    assert parse_policy(policy.to_yaml()) == policy


@pytest.mark.parametrize("document", ["{{magnitude: {0}, operator: A}}", '{{"magnitude": {0}, "operator": "A"}}'])
@pytest.mark.parametrize("number", ["1e-1", "1E-1", "0.1", "10e-2"])
def test_numbers_are_numbers_as_json_and_yaml_write_them(document: str, number: str) -> None:
    parsed = parse_policy(f"layers: [sub_policies: [operations: [{document.format(number)}]]]")
    assert next(parsed.operations()).magnitude == (0.1, 0.1)
    assert parse_policy(f'{{"mixing": {{"kind": "mixup", "alpha": {number}}}}}').mixing == Mixing(
        kind="mixup", alpha=0.1
    )


@pytest.mark.parametrize(
    ("word", "name"),
    [("2020-01-01", "2020-01-01"), ("1e-1", "1e-1"), ("0o17", "0o17"), ("'yes'", "yes"), ("on", None), ("1_000", None)],
)
def test_what_an_unquoted_word_is(word: str, name: str | None) -> None:
    """Text, but for the numbers and truth values of YAML 1.1, which a name is not."""
    if name is not None:
        assert parse_policy(f"name: {word}").name == name
        return
    with pytest.raises(PolicyError, match="put it in quotes"):
        parse_policy(f"name: {word}")


def test_json_is_read_by_its_own_rules() -> None:
    """Tabs, surrogate pairs and long keys are JSON, and no YAML; a fault has its line where YAML can tell it."""
    assert parse_policy('{\n\t"name": "\\ud83d\\ude00"}').name == "😀"
    with pytest.raises(PolicyError, match="line 2: copies"):
        parse_policy('{"name": "a",\n"copies": 0}')


def test_the_fingerprint_is_what_it_was_before_fields_and_operators_had_their_present_names() -> None:
    policy = parse_policy("""
    schedule:
      - until: 0.5
        layers:
          - sub_policies:
              - {operations: [{operator: ColorTemperature, probability: 0.5, magnitude: [0.1, 0.5]}], weight: 2}
              - {operations: []}
      - until: 1.0
    mixing: {kind: mixup, probability: 0.5}
    adversarial: {kind: pgd, steps: 2, epsilon: 0.01, share: 0.25}
    synthetic: {kind: pca, share: 0.2}
    regularization: {dropout: 0.1}
    copies: 2
    """)
    assert policy.fingerprint() == "6e97e05ce610"


@given(policies, st.text(max_size=8))
def test_the_fingerprint_ignores_the_name_alone(policy: Policy, name: str) -> None:
    assert policy.model_copy(update={"name": name}).fingerprint() == policy.fingerprint()
    assert policy.model_copy(update={"copies": policy.copies % 8 + 1}).fingerprint() != policy.fingerprint()


@pytest.mark.parametrize("name", builtin_names())
def test_built_in_policies_load_under_their_names(name: str) -> None:
    assert load_policy(name).name == name


def test_published_shapes() -> None:
    assert [len(layer.sub_policies) for layer in read_policy("randaugment").layers] == [14, 14]
    assert [len(layer.sub_policies) for layer in read_policy("trivialaugment").layers] == [14]
    (layer,) = read_policy("autoaugment-cifar10").layers
    assert [len(sub_policy.operations) for sub_policy in layer.sub_policies] == [2] * 25


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
            "layers:\n  - sub_policies:\n      - operations:\n          - {operator: A, magnitude: 3}\n",
            ["line 4", "magnitude", "3"],
        ),
        ("layers:\n  - sub_policies: []\n", ["line 2", "sub_policies"]),
        ("layers:\n  - sub_policies:\n      - {operations: [], weight: 0}\n", ["weights", "0"]),
        ("copies: 0\n", ["line 1", "copies", "0"]),
        ("name: a\ncopys: 2\n", ["line 2", "copys", "unknown field"]),
        ("mixing: {kind: [mixup]}\n", ["line 1", "kind", "string"]),
        ("adversarial: {kind: fgsm, steps: 3}\n", ["fgsm", "3"]),
        ("layers: [\n", ["line", "YAML"]),
        ("- 1\n", ["mapping"]),
        ("!!python/object/apply:os.system [echo]\n", ["YAML"]),
        ("format: 3\n", ["has format 3", "install a newer"]),
        ("", ["empty"]),
        ("# nothing\n", ["empty"]),
        ("name: a\ncopies: !!int 9z\n", ["line 2", "'9z' is not a valid int"]),
        ("copies: !!float x\n", ["line 1", "'x' is not a valid float"]),
        ("copies: " + "9" * 5000, ["line 1", "999", "is not a valid int"]),
        ("copies: 0x" + "f" * 5000, ["line 1", "is not a valid int"]),
        ('{"copies": ' + "9" * 5000 + "}", ["line 1", "is not a valid int"]),
        ("name: !!binary aGVsbG8=\n", ["line 1", "binary"]),
        ("name: !!timestamp x\n", ["line 1", "timestamp"]),
        ("name: !!set {a}\n", ["line 1", "set"]),
        ("name: 5\n", ["line 1", "name", "5", "quotes"]),
        ("mixing: {kind: mixup, alpha: .nan}\n", ["alpha", "finite", "nan"]),
        ("name: a\ncopies: 1\nname: b\n", ["line 3", "the key 'name' twice"]),
        ('{"name": "a", "name": "b"}', ["the key 'name' twice"]),
        ("name: " + "[" * 500, ["line 1", "nested"]),
        ("name: " + "[" * 500 + "]" * 500, ["line 1", "nested"]),
        ("a: &a [*a]\n", ["line 1", "alias"]),
        ("\tname: a\n", ["line 1", "YAML"]),
        ("name: a\0\n", ["YAML"]),
        ('name: "\\UFFFFFFFF"\n', ["YAML"]),
        ("%YAML " + "9" * 5000 + ".1\n---\nname: a\n", ["YAML"]),
        ('"a\\nb\\e[2J": 1\n', ["a\\nb", "unknown field"]),
    ],
)
def test_a_broken_file_names_line_and_rule(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        read_policy(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 400
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("content", [b"name: \xff", "name: ä".encode("utf-16"), "name: ä".encode("latin-1")])
def test_a_file_that_is_not_utf_8_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="not UTF-8"):
        read_policy(path)
    path.write_bytes("\ufeffname: ä".encode())
    assert read_policy(path).name == "ä"


def bomb(values: str, levels: int, top: str) -> str:
    """A document of a few hundred bytes in which each level repeats the one below ten times."""
    rows = [f"a0: &a0 {values}", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels))]
    return "\n".join([*rows, top.format(f"*a{levels - 1}")])


@pytest.mark.parametrize(
    ("values", "top"),
    [
        ("{operator: Rotate}", "layers: [sub_policies: [operations: {0}]]"),
        ("{sub_policies: [{operations: []}]}", "layers: {0}"),
        ("{until: 1}", "schedule: {0}"),
        ("{name: a}", "<<: {0}"),
    ],
)
@pytest.mark.fault("security", "YAML aliases that multiply")
def test_aliases_are_counted_before_they_are_written_out(values: str, top: str) -> None:
    began = time.process_time()
    with pytest.raises(PolicyError, match="too many values"):
        parse_policy(bomb(values, 12, top))
    assert time.process_time() - began < 10


def test_aliases_and_merges_within_reason_are_read() -> None:
    turns = "[&turn {operator: Rotate}, {<<: *turn, probability: 0.5}]"
    text = f"layers: [&one {{sub_policies: [operations: {turns}]}}, *one]"
    parsed = parse_policy(text)
    assert [(o.operator, o.probability) for o in parsed.operations()] == [("Rotate", 1.0), ("Rotate", 0.5)] * 2


OPERATION = {"operator": "Rotate"}
SUB_POLICY = {"operations": [OPERATION]}
LAYER = {"sub_policies": [SUB_POLICY]}


@pytest.mark.parametrize(
    ("field", "rule", "document"),
    [
        ("name", "4096", {"name": "x" * 5000}),
        ("layers", "512", {"layers": [LAYER] * 513}),
        ("schedule", "256", {"schedule": [{"until": (i + 1) / 300} for i in range(300)]}),
        ("layers.0.sub_policies", "1000", {"layers": [{"sub_policies": [SUB_POLICY] * 1001}]}),
        (
            "layers.0.sub_policies.0.operations",
            "64",
            {"layers": [{"sub_policies": [{"operations": [OPERATION] * 65}]}]},
        ),
        ("operator", "100", {"layers": [{"sub_policies": [{"operations": [{"operator": "x" * 101}]}]}]}),
        ("document", "10000", {"layers": [{"sub_policies": [SUB_POLICY] * 101}] * 100}),
        ("document", "10000", {"layers": [{"sub_policies": [{"operations": []}] * 101}] * 100}),
    ],
)
@pytest.mark.fault("security", "policies beyond all bounds")
def test_a_policy_has_bounds_that_its_schema_states(field: str, rule: str, document: dict) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy(json.dumps(document))
    assert field in str(error.value)
    assert rule in str(error.value)
    assert rule in json.dumps(Policy.model_json_schema()).replace("10,000", "10000")


def test_a_file_has_a_bound_too(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text('{"name": "a"}'.ljust(2**22))
    assert read_policy(path).name == "a"
    path.write_text('{"name": "a"}'.ljust(2**22 + 1))
    with pytest.raises(PolicyError, match="more than 4194304 bytes"):
        read_policy(path)


def test_policies_that_are_too_much_together_are_not_joined() -> None:
    large = Policy(
        name="large", layers=(Layer(sub_policies=(SubPolicy(operations=(Operation(operator="A"),)),)),) * 300
    )
    with pytest.raises(PolicyError, match="cannot be joined"):
        large + large


def test_a_policy_whose_operations_are_never_drawn_has_no_uniformity() -> None:
    never = [SubPolicy(operations=(Operation(operator=name),), weight=0) for name in "AB"]
    assert uniformity(Policy(layers=(Layer(sub_policies=(SubPolicy(operations=()), *never)),))) == ""


def test_unknown_names_offer_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'randaugment'"):
        load_policy("randaugmnt")
    path = tmp_path / "p.yaml"
    path.write_text("layers:\n  - sub_policies: [{operations: [{operator: Rotat}]}]\n")
    with pytest.raises(UnknownName, match="did you mean 'Rotate'"):
        load_policy(path)
