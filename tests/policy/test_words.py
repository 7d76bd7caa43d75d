"""What a policy does, in words."""

from __future__ import annotations

import pytest

from autoaug.policy.loading import builtin_names, load_policy, parse_policy, randaugment
from autoaug.policy.models import Operation, Policy, in_turn
from autoaug.policy.words import in_distinct_words, in_words, policy_label


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("none", "no augmentation"),
        ("flip-crop+trivialaugment-wide", "flip-crop + trivialaugment-wide"),
        ("flip-crop+cutmix", "flip-crop + cutmix at p 0.5"),
        ("randaugment+mixup", "randaugment + mixup"),
    ],
)
def test_published_parts_have_their_names(given: str, words: str) -> None:
    assert in_words(load_policy(given)) == words


@pytest.mark.parametrize("name", builtin_names())
def test_every_published_policy_is_told_in_a_line(name: str) -> None:
    words = in_words(load_policy(name))
    assert words
    assert "\n" not in words
    assert len(words) < 120


def test_layers_are_told_by_their_operators_and_equal_ones_together() -> None:
    assert in_words(randaugment(3, 5)) == "3 × one of 14 (Identity, ShearX, ShearY, …) 0.17"
    operation = "{operator: Rotate, probability: 0.5, magnitude: [0, 0.3]}"
    layer = f"{{sub_policies: [{{operations: [{operation}]}}]}}"
    policy = parse_policy(f"layers: [{layer}, {layer}]\ncopies: 4\n")
    assert in_words(policy) == "2 × Rotate up to 0.3 at p 0.5, 4 copies"


def test_what_comes_after_the_layers_is_told_too() -> None:
    text = "synthetic: {kind: pca, share: 0.25}\nadversarial: {kind: fgsm, share: 0.5}\nregularization: {dropout: 0.1}"
    words = in_words(parse_policy(text))
    assert words == "25 % pca samples + FGSM attacks on 50 % + dropout 0.1"
    words = in_words(parse_policy("adversarial: {kind: worst-of, steps: 5, share: 0.25}"))
    assert words == "the worst of 5 changes on 25 %"


def test_policies_that_read_alike_get_more_digits() -> None:
    def rotated(magnitude: float) -> Policy:
        operation = f"{{operator: Rotate, probability: 1, magnitude: [{magnitude}, {magnitude}]}}"
        return parse_policy(f"layers: [{{sub_policies: [{{operations: [{operation}]}}]}}]")

    words = in_distinct_words([rotated(0.4998), rotated(0.5014), rotated(0.25)])
    assert words == ["Rotate 0.4998", "Rotate 0.5014", "Rotate 0.25"]


def test_long_policies_are_called_by_their_names_within_sentences() -> None:
    operators = ("Rotate", "ShearX", "ShearY", "Brightness", "Contrast", "Sharpness", "Posterize", "Solarize")
    long = Policy(layers=in_turn(*(Operation(operator=name, magnitude=(0.25, 0.75)) for name in operators)))
    short = Policy(layers=long.layers[:2])
    assert policy_label("trial-7", short, 7) == in_words(short)
    assert policy_label("trial-8", long, 8) == "trial-8"
    assert len(in_words(long)) > len(in_words(short)), "tables have the whole"
