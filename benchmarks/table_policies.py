"""The policies of the table: published ones, shapes that specialists use, and random draws from a search space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import optuna

from autoaug.policy.loading import load_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy, SubPolicy, in_turn
from autoaug.search.samplers import quiet_optuna
from autoaug.search.sampling import Given, sample_policy, sample_shaped
from autoaug.search.space import SearchSpace, load_space
from autoaug.search.strategies.neighbors import neighbors
from autoaug.search.strategies.portfolio import portfolio

PUBLISHED = (
    "none",
    "flip-crop",
    "randaugment",
    "trivialaugment",
    "flip-crop+trivialaugment-wide",
    "trivialaugment-wide",
    "flip-crop+randaugment",
    "autoaugment-cifar10",
    "autoaugment-svhn",
    "uniformaugment",
    "augmix",
)

#: Operators by family, each with its highest magnitude at strength 1.
GEOMETRY = {"Rotate": 0.33, "ShearX": 0.6, "ShearY": 0.6, "TranslateX": 0.45, "TranslateY": 0.45, "Scale": 0.6}
COLOR = {"Brightness": 0.95, "Contrast": 0.95, "Saturation": 0.95, "Hue": 0.5, "AutoContrast": 1.0, "Equalize": 1.0}
QUALITY = {"Sharpness": 0.95, "GaussianBlur": 0.6, "GaussianNoise": 0.6, "JPEG": 0.9}
OCCLUSION = {"Cutout": 0.8}
ALL = GEOMETRY | COLOR | QUALITY | OCCLUSION

FLIP = in_turn(Operation(operator="HorizontalFlip", probability=0.5, magnitude=(1, 1)))
UPSIDE_DOWN = in_turn(Operation(operator="VerticalFlip", probability=0.5, magnitude=(1, 1)))
FLIPS = FLIP + UPSIDE_DOWN
CROP = in_turn(Operation(operator="PadCrop", magnitude=(0.25, 0.25)))
RESIZED = in_turn(Operation(operator="RandomResizedCrop", magnitude=(1, 1)))
RESIZED_A_LITTLE = in_turn(Operation(operator="RandomResizedCrop", magnitude=(0.5, 0.5)))
ANY_TURN = in_turn(Operation(operator="Rotate", magnitude=(0, 1)))
SMALL_TURN = in_turn(Operation(operator="Rotate", magnitude=(0, 0.08)))
CUTOUT = in_turn(Operation(operator="Cutout", probability=0.5, magnitude=(0.5, 0.7)))
#: Nothing, or a turn by 90, 180 or 270 degrees, all equally likely.
QUARTER_TURNS = in_turn(Operation(operator="QuarterTurn", probability=0.75, magnitude=(1, 1)))


def one_of(
    family: Mapping[str, float], strength: float, layers: int = 1, probability: float = 1.0
) -> tuple[Layer, ...]:
    """Layers that each apply one operator of a family, up to `strength` times its highest magnitude."""
    operations = (
        Operation(operator=n, probability=probability, magnitude=(0, strength * m)) for n, m in family.items()
    )
    return (Layer(sub_policies=tuple(SubPolicy(operations=(operation,)) for operation in operations)),) * layers


def _mixed(policy: Policy, kind: str, probability: float, alpha: float = 1.0) -> Policy:
    return policy.model_copy(update={"mixing": Mixing(kind=kind, probability=probability, alpha=alpha)})


def _shapes() -> Iterator[tuple[str, tuple[Layer, ...]]]:
    """Layers that specialists write by hand, by name."""
    yield from {
        "crop": CROP,
        "flip": FLIP,
        "flips": FLIPS,
        "flips, crop": FLIPS + CROP,
        "quarter turns": QUARTER_TURNS,
        "flips, quarter turns": FLIPS + QUARTER_TURNS,
        "flips, quarter turns, crop": FLIPS + QUARTER_TURNS + CROP,
        "any turn": ANY_TURN,
        "any turn, crop": ANY_TURN + CROP,
        "flips, any turn, crop": FLIPS + ANY_TURN + CROP,
        "small turn, crop": SMALL_TURN + CROP,
        "flip, small turn, crop": FLIP + SMALL_TURN + CROP,
        "resized crop": RESIZED_A_LITTLE,
        "flip, resized crop": FLIP + RESIZED_A_LITTLE,
        "flip, full resized crop": FLIP + RESIZED,
        "flips, resized crop": FLIPS + RESIZED_A_LITTLE,
    }.items()
    for layers, strength in ((1, 0.3), (1, 0.6), (2, 0.3), (2, 0.6), (2, 1.0), (3, 0.5)):
        yield f"{layers} x geometry {strength}", one_of(GEOMETRY, strength, layers)
    yield from {
        "crop, 2 x geometry 0.5": CROP + one_of(GEOMETRY, 0.5, 2),
        "flip-crop, 2 x geometry 0.5": FLIP + CROP + one_of(GEOMETRY, 0.5, 2),
        "flips, 2 x geometry 0.5": FLIPS + one_of(GEOMETRY, 0.5, 2),
        "flips, quarter turns, 2 x geometry 0.5": FLIPS + QUARTER_TURNS + one_of(GEOMETRY, 0.5, 2),
        "elastic, 1 x geometry 0.5": one_of({"Elastic": 0.6}, 1) + one_of(GEOMETRY, 0.5),
        "perspective, 1 x geometry 0.5": one_of({"Perspective": 0.4}, 1) + one_of(GEOMETRY, 0.5),
        "1 x color 0.5": one_of(COLOR, 0.5),
        "flip-crop, 1 x color 0.5": FLIP + CROP + one_of(COLOR, 0.5),
        "flip-crop, 2 x color 0.5": FLIP + CROP + one_of(COLOR, 0.5, 2),
        "2 x geometry 0.5, 1 x color 0.5": one_of(GEOMETRY, 0.5, 2) + one_of(COLOR, 0.5),
        "flips, any turn, crop, 1 x color 0.5": FLIPS + ANY_TURN + CROP + one_of(COLOR, 0.5),
        "1 x quality 0.5": one_of(QUALITY, 0.5),
        "2 x all 0.5": one_of(ALL, 0.5, 2),
        "flip-crop, 1 x all 0.5": FLIP + CROP + one_of(ALL, 0.5),
        "flip-crop, 2 x all 0.5": FLIP + CROP + one_of(ALL, 0.5, 2),
        "flip-crop, 3 x all 0.7": FLIP + CROP + one_of(ALL, 0.7, 3),
        "flip-crop, cutout": FLIP + CROP + CUTOUT,
        "2 x geometry 0.5, cutout": one_of(GEOMETRY, 0.5, 2) + CUTOUT,
        "flip-crop, grid mask": FLIP
        + CROP
        + in_turn(Operation(operator="GridMask", probability=0.5, magnitude=(0.7, 0.9))),
        "shift, masks": in_turn(
            Operation(operator="TranslateX", magnitude=(0, 0.2)),
            *(Operation(operator="EraseMean", probability=0.5, magnitude=(0.1, 0.4)),) * 2,
        ),
    }.items()


def _asked(space: SearchSpace) -> Iterator[tuple[str, Policy]]:
    """The shapes of the space's portfolio, then every fourth of their neighbors."""
    shapes = list(portfolio(space))
    answers = [
        (f"{number}, {turn}", answer)
        for number, shape in enumerate(shapes)
        for turn, answer in enumerate(neighbors(space, shape))
    ]
    for name, shape in [*((str(number), shape) for number, shape in enumerate(shapes)), *answers[::4]]:
        yield f"shape {name}", sample_shaped(space, Given(shape))


@cache
def table_policies(drawn: int = 12) -> dict[str, Policy]:
    """All of them by name, each once; ``drawn`` ones from the space ``standard`` with seed 0, without attacks and
    copies, and last shapes that `auto` would try.
    """
    policies = {name: load_policy(name) for name in PUBLISHED}
    policies |= {name: Policy(name=name, layers=layers) for name, layers in _shapes()}
    for name, kind, probability, alpha in (
        ("none", "cutmix", 0.5, 1.0),
        ("flip-crop", "cutmix", 0.5, 1.0),
        ("flip-crop", "cutmix", 1.0, 1.0),
        ("flip-crop", "mixup", 0.5, 0.4),
        ("flip-crop+trivialaugment-wide", "cutmix", 0.5, 1.0),
        ("flips, any turn, crop", "cutmix", 0.5, 1.0),
        ("flips, quarter turns, crop", "mixup", 0.5, 0.4),
        ("2 x geometry 0.6", "cutmix", 0.5, 1.0),
        ("2 x geometry 0.6", "mixup", 0.5, 0.4),
    ):
        mixed = f"{name}, {kind} {probability:g}"
        policies[mixed] = _mixed(policies[name], kind, probability, alpha)
    whole = load_space("standard")
    space = whole.model_copy(update={"copies": (1, 1)})
    space = space.model_copy(update={"adversarial": space.adversarial.model_copy(update={"kinds": ("none",)})})
    with quiet_optuna():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        for number in range(drawn):
            policies[f"drawn {number}"] = sample_policy(space, study.ask())
    policies |= _asked(whole)
    once = {policy.fingerprint(): name for name, policy in reversed(policies.items())}
    return {
        name: policy.model_copy(update={"name": name})
        for name, policy in policies.items()
        if once[policy.fingerprint()] == name
    }
