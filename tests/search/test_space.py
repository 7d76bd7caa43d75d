"""Search spaces: the built-in ones, what they may draw, and errors for invalid files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import optuna
import pytest

from autoaug.errors import SpaceError, UnknownName
from autoaug.modalities.operators import all_operators
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Adversarial, Policy
from autoaug.search.sampling import Given, sample_policy, sample_shaped
from autoaug.search.space import SearchSpace, load_space, space_names

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.mark.parametrize("name", space_names())
def test_policies_are_drawn_from_every_space(name: str) -> None:
    space = load_space(name)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = set()
    for number in range(25):
        trial = study.ask()
        policy = sample_policy(space, trial)
        study.tell(trial, number % 7)
        drawn.add(policy.fingerprint())
        assert set(policy.operator_names()) <= set(all_operators())
        assert space.copies[0] <= policy.copies <= space.copies[1]
    assert len(drawn) > 15


@pytest.mark.parametrize("name", space_names())
def test_baselines_of_every_space_exist(name: str) -> None:
    space = load_space(name)
    assert "none" in space.baselines
    assert space.modality.usual_policy in {"", *space.baselines}
    for baseline in space.baselines:
        load_policy(baseline)


def test_the_standard_space_holds_the_usual_operators_and_every_kind() -> None:
    space = load_space("standard")
    held = {b.operator for b in space.base} | {o for family in space.families.values() for o in family}
    assert held > set(load_policy("trivialaugment").operator_names())
    assert held > {"HorizontalFlip", "VerticalFlip", "PadCrop", "Scale", "GaussianBlur", "GaussianNoise", "Cutout"}
    assert set(space.mixing.kinds) == {"none", "mixup", "cutmix"}
    assert set(space.adversarial.kinds) == {"none", "fgsm", "pgd"}
    assert space.copies == (1, 8)


def test_the_digits_space_has_no_flips() -> None:
    space = load_space("digits")
    assert not {"HorizontalFlip", "VerticalFlip"} & {b.operator for b in space.base}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("families:\n  a:\n    Rotat: 0.5\nlayers: [0, 1]\n", ["line 3", "Rotat", "did you mean 'Rotate'"]),
        ("base:\n  - {operator: Flip}\n", ["line 2", "operator", "Flip"]),
        ("layers: [2, 1]\nfamilies: {a: {Rotate: 1}}\n", ["line 1", "[2, 1]", "low <= high"]),
        ("layers: [0, 2]\n", ["families"]),
        ("layers: [0, 0]\n", ["allows no augmentation"]),
        ("{}\n", ["allows no augmentation"]),
        ("mixing:\n  kinds: [mixap]\n", ["line 2", "unknown mixing 'mixap'; did you mean 'mixup'"]),
        ("probabilty: [0, 1]\n", ["line 1", "probabilty", "unknown field"]),
        ("copies: [1, 99]\n", ["line 1", "copies"]),
        ("families:\n  a: {Rotate: 7}\nlayers: [0, 1]\n", ["line 2", "7"]),
        ("mixing: {kinds: [mixup], alpha: [.nan, 1]}\n", ["alpha"]),
        ("mixing: {kinds: [mixup], alpha: [0.001, 1]}\n", ["alpha", "0.01"]),
        (
            "adversarial: {kinds: [none, pgd]}\nportfolio: [{adversarial: pgd}]\n",
            ["shape 1 of the portfolio has the attack 'pgd', which its shapes cannot have; they can have: none"],
        ),
        ("a: [", ["YAML"]),
    ],
)
def test_a_broken_space_names_line_and_cure(text: str, words: list[str], tmp_path: Path) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(SpaceError) as error:
        load_space(path)
    assert "\n" not in str(error.value)
    for word in words:
        assert word in str(error.value)


def test_policies_are_drawn_at_the_ends_of_the_widest_ranges() -> None:
    """What a space allows, a policy does."""
    widest = {
        "base": [{"operator": "Rotate", "magnitude": [0, 1]}],
        "families": {"all": {"Rotate": 1, "Invert": 1}},
        "layers": [0, 16],
        "probability": [0, 1],
        "strength": [0, 1],
        "mixing": {"kinds": ["none", "mixup"], "probability": [0, 1], "alpha": [0.01, 8]},
        "adversarial": {
            "kinds": ["none", "fgsm", "pgd", "worst-of", "magnitudes"],
            "norms": ["linf", "l2"],
            "losses": ["plain", "trades"],
            "epsilon": [1e-6, 1],
            "steps": [1, 50],
            "share": [0, 1],
        },
        "synthetic": {"kinds": ["none", "pca"], "share": [1e-6, 0.75], "confidence": [0, 1]},
        "regularization": {"weight_decay": [1e-6, 1], "dropout": [0, 0.99]},
        "copies": [1, 8],
    }
    space = SearchSpace.model_validate(widest)

    class End(Given):
        """Takes one end of each range, and one of the choices."""

        def __init__(self, end: int, place: int) -> None:
            super().__init__({})
            self.end, self.place = end, place

        def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:  # noqa: ARG002
            return (low, high)[self.end]

        def suggest_categorical(self, name: str, choices: Sequence[str]) -> str:  # noqa: ARG002
            return choices[self.place % len(choices)]

    for end, place in itertools.product((0, 1), range(5)):
        for draw in (sample_policy, sample_shaped):
            drawn = draw(space, End(end, place))
            assert Policy.model_validate(drawn.model_dump()) == drawn


def test_the_worst_of_several_changes_is_drawn_with_their_number_and_without_a_norm() -> None:
    space = {"kinds": ["none", "pgd", "worst-of"], "norms": ["l2", "linf"], "epsilon": [0.01, 0.02], "steps": [2, 9]}
    values = {"adversarial": "worst-of", "adversarial.epsilon": 0.015, "adversarial.share": 0.5, "adversarial.steps": 7}
    drawn = sample_policy(SearchSpace.model_validate({"adversarial": space}), Given(values)).adversarial
    assert drawn == Adversarial(kind="worst-of", epsilon=0.015, steps=7, share=0.5)


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'standard'"):
        load_space("standart")
    with pytest.raises(SpaceError, match="there is no search space file"):
        load_space("missing.yaml")


def test_a_space_reads_back_from_its_own_dump() -> None:
    for name in space_names():
        space = load_space(name)
        assert SearchSpace.model_validate(space.model_dump(mode="json")) == space
