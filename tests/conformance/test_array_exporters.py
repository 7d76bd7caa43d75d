"""Targets without torch: the exported code carries out autoaug's own plans to the same images, in a fresh process that
sees neither autoaug nor torch, and draws from the same distribution.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan, drawn_operators
from autoaug.errors import PolicyError
from autoaug.exporters import EXPORTERS, export_modules, export_policy
from autoaug.exporters.array_module import ArrayTarget
from autoaug.policy.loading import load_policy, parse_policy, randaugment
from autoaug.policy.models import Operation, Policy, in_turn
from tests.conformance.test_exporters import OF_IMAGES, SIZES, assert_same, photographs
from tests.samples import operators_of, policies_of

TARGETS = [name for name in OF_IMAGES if isinstance(EXPORTERS[name], ArrayTarget)]
#: Keras takes seconds to start and to trace; that its layers work is seen in the quick share, too.
REPLAYING = [pytest.param(name, marks=pytest.mark.slow) if name == "keras" else name for name in TARGETS]
#: What each module must not bring with it; albumentations itself imports torch where it is there.
UNWANTED = {"numpy": ("torch", "keras", "albumentations"), "albumentations": ("keras",), "keras": ("albumentations",)}

REPLAY = """
import sys, json, importlib.util, numpy as np
def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    return module
given = np.load(sys.argv[1])
made = {}
for name, kinds in json.loads(sys.argv[2]).items():
    module = load(f"{sys.argv[3]}/{name}.py", name)
    plan = [given[f"{name}.{part}"] for part in ("choice", "magnitude", "draws")]
    for kind in kinds if len(plan[0]) else ():
        if hasattr(module, "ops"):
            tensors = map(module.ops.convert_to_tensor, (given[kind], *plan))
            made[f"{name}.{kind}"] = module.ops.convert_to_numpy(module.apply_operations(*tensors))
        else:
            made[f"{name}.{kind}"] = module.apply_operations(given[kind], *plan)
module = load(f"{sys.argv[3]}/autoaugment_cifar10.py", "drawing")
if hasattr(module, "ops"):
    drawn = [module.ops.convert_to_numpy(part) for part in module.Augment(seed=1).draw(20000)]
else:
    drawn = module.draw_operations(module.LAYERS, 20000, np.random.default_rng(1))
made |= {f"drawn.{index}": part for index, part in enumerate(drawn)}
assert not any(n.split(".")[0] in ("autoaug", *sys.argv[5:]) for n in sys.modules), "the module imports too much"
np.savez(sys.argv[4], **made)
"""
#: Arrays by name, which a process made.
Made = dict[str, np.ndarray]
IMAGES = {"gray": photographs(channels=1, size=SIZES[1]), "color": photographs(channels=3, size=SIZES[3])}


def run(code: str, *arguments: object) -> str:
    """What `code` prints in a process of its own, whose assertions must hold."""
    environment = {**os.environ, "KERAS_BACKEND": "torch", "NO_ALBUMENTATIONS_UPDATE": "1"}
    command = [sys.executable, "-I", "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def exported(target: str) -> tuple[dict[str, Policy], dict[str, Policy]]:
    """What `target` can express: a policy of each operator, and the built-in policies."""
    of_operators = {name: Policy(layers=in_turn(Operation(operator=name))) for name in operators_of()}
    built_in = {
        name.replace("-", "_"): policy
        for name, policy in policies_of().items()
        if not policy.chains and not policy.mixing  # see below
    }
    return {name: policy for name, policy in of_operators.items() if EXPORTERS[target].supports(name)}, built_in


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """What the modules of a target make of `IMAGES` under our plans, by policy and kind of image, and what one of them
    draws. One process makes all of it: to start Keras takes seconds.
    """

    @cache
    def made_by(target: str) -> Made:
        folder = tmp_path_factory.mktemp(target)
        of_operators, built_in = exported(target)
        given = {kind: images.permute(0, 2, 3, 1).numpy() for kind, images in IMAGES.items()}
        for name, policy in (of_operators | built_in).items():
            (folder / f"{name}.py").write_text(export_policy(policy, target, exact=True))
            plan = our_plan(policy)
            parts = {"choice": plan.choice.int(), "magnitude": plan.magnitude, "draws": plan.uniforms}
            given |= {f"{name}.{part}": tensor.numpy() for part, tensor in parts.items()}
        np.savez(folder / "given.npz", **given)
        kinds = {name: list(IMAGES) if name in of_operators else ["color"] for name in of_operators | built_in}
        run(REPLAY, folder / "given.npz", json.dumps(kinds), folder, folder / "made.npz", *UNWANTED[target])
        with np.load(folder / "made.npz") as file:
            return dict(file)

    return made_by


def our_plan(policy: Policy) -> Plan:
    return draw_plan(policy, len(IMAGES["color"]), torch.Generator().manual_seed(3))


def check_replayed(made: Made, policies: dict[str, Policy], kind: str) -> None:
    """Check that a target made of the images what autoaug makes of them under the same plans."""
    for name, policy in policies.items():
        if not len(our_plan(policy).choice):
            assert f"{name}.{kind}" not in made, "it has no operations"
            continue
        try:
            assert_same(apply_plan(our_plan(policy), IMAGES[kind]), made[f"{name}.{kind}"].transpose(0, 3, 1, 2))
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


@pytest.mark.parametrize("target", REPLAYING)
@pytest.mark.parametrize("kind", IMAGES)
@pytest.mark.fault("properties", "exported code is the engine")
def test_every_operator_replays(target: str, kind: str, made: Callable[[str], Made]) -> None:
    policies, _ = exported(target)
    assert len(policies) > 25
    check_replayed(made(target), policies, kind)


@pytest.mark.parametrize("target", TARGETS)
def test_an_operator_that_a_target_has_not_is_refused_by_name(target: str) -> None:
    for name in operators_of():
        if not EXPORTERS[target].supports(name):
            policy = Policy(layers=in_turn(Operation(operator=name)))
            with pytest.raises(PolicyError, match=rf"{target} cannot express {name} of policy"):
                export_policy(policy, target)
            assert f"APPROXIMATION: {name} is left out" in export_policy(policy, target, approximate=True)


@pytest.mark.parametrize("target", REPLAYING)
def test_built_in_policies_replay(target: str, made: Callable[[str], Made]) -> None:
    _, policies = exported(target)
    assert len(policies) > 5
    check_replayed(made(target), policies, "color")


@pytest.mark.parametrize("target", TARGETS)
def test_chains_are_refused(target: str) -> None:
    with pytest.raises(PolicyError, match="cannot express chains"):
        export_policy(load_policy("augmix"), target, approximate=True)


@pytest.mark.parametrize("target", REPLAYING)
def test_operators_and_magnitudes_are_drawn_as_ours_are(target: str, made: Callable[[str], Made]) -> None:
    """By frequencies and by quantiles, over 20,000 draws each."""
    policy = load_policy("autoaugment-cifar10")
    choice, magnitude, uniforms = (made(target)[f"drawn.{index}"] for index in range(3))
    ours = draw_plan(policy, 20_000, torch.Generator().manual_seed(0))
    assert choice.shape == tuple(ours.choice.shape)
    assert 0 <= uniforms.min() <= uniforms.max() < 1
    for step in range(len(choice)):
        counts = [
            np.bincount(c + 1, minlength=len(drawn_operators(policy)) + 1) for c in (choice[step], ours.choice[step])
        ]
        assert np.abs(counts[0] - counts[1]).max() < 5 * np.sqrt(2 * counts[1].max())
        for index in range(len(drawn_operators(policy))):
            theirs, own = (
                magnitude[step][choice[step] == index],
                ours.magnitude[step][ours.choice[step] == index].numpy(),
            )
            if len(own) > 200:
                points = [0.1, 0.5, 0.9]
                np.testing.assert_allclose(np.abs(theirs).mean(), np.abs(own).mean(), atol=0.05)
                if len(np.unique(own)) > 10:
                    np.testing.assert_allclose(np.quantile(theirs, points), np.quantile(own, points), atol=0.15)


@pytest.mark.parametrize("target", TARGETS)
def test_mixing_is_refused_or_left_to_the_training_loop(target: str) -> None:
    policy = parse_policy("format: 2\nmixing: {kind: cutmix}\ncopies: 2\n")
    with pytest.raises(PolicyError, match=r"cannot express mixing.*or leave it out with --approximate"):
        export_policy(policy, target)
    text = export_policy(policy, target, approximate=True)
    assert "# APPROXIMATION: mixing is left out" in text
    assert "2 copies of each sample" in text


@pytest.mark.parametrize("target", [name for name in OF_IMAGES if EXPORTERS[name].suffix == "py"])
def test_a_module_is_inert_under_a_hostile_name_and_formatted(target: str, tmp_path: Path) -> None:
    policy = load_policy("flip-crop").model_copy(update={"name": '"""; import shutil\n\u202e</script>\n'})
    text = export_policy(policy, target)
    ast.parse(text)
    assert not any(line.startswith(("import shutil", "</script>")) for line in text.splitlines())
    (tmp_path / "policy.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E9,I", tmp_path / "policy.py"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


NUMPY_USE = """
from PIL import Image
from policy_numpy import Augment
for mode, shape in (("RGB", (9, 7, 3)), ("L", (9, 7))):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
    made = Augment(seed=0)(image)
    assert made.mode == mode and made.size == image.size, (made.mode, made.size)
batch = np.random.default_rng(0).random((5, 8, 8, 3)).astype("float32")
first, again = Augment(seed=2)(batch), Augment(seed=2)(batch)
assert first.dtype == batch.dtype and first.shape == batch.shape and (first == again).all()
assert Augment(seed=2)((batch * 255).astype(np.uint8)).dtype == np.uint8
"""
ALBUMENTATIONS_USE = """
import albumentations as A
from policy_albumentations import Augment
image = np.random.default_rng(0).integers(0, 256, (16, 12, 3), dtype=np.uint8)
made = [A.Compose([Augment(), A.HorizontalFlip(p=0)], seed=4)(image=image)["image"] for _ in range(2)]
assert made[0].shape == image.shape and made[0].dtype == image.dtype and (made[0] == made[1]).all()
assert A.Compose([Augment()], seed=1)(image=image[..., 0])["image"].shape == (16, 12)
pipe = A.Compose([Augment()], seed=4)
assert len({pipe(image=image)["image"].tobytes() for _ in range(8)}) > 4, "every call draws anew"
"""
KERAS_USE = """
import keras
from policy_keras import Augment
images = np.random.default_rng(0).random((6, 10, 10, 3)).astype("float32")
import nothing_keras
assert (keras.ops.convert_to_numpy(nothing_keras.Augment()(images, training=True)) == images).all()
layer = Augment(seed=3)
same = keras.ops.convert_to_numpy(layer(images, training=False))
assert (same == images).all()
model = keras.Sequential([keras.Input((10, 10, 3)), layer])
assert model(images, training=True).shape == images.shape
assert len({keras.ops.convert_to_numpy(layer(images)).tobytes() for _ in range(4)}) == 4
"""


@pytest.mark.slow
def test_a_module_is_used_as_its_library_uses_such_things(tmp_path: Path) -> None:
    for target in TARGETS:
        (tmp_path / f"policy_{target}.py").write_text(
            export_policy(load_policy("trivialaugment-wide"), target, exact=True)
        )
    nothing = parse_policy("layers: [{sub_policies: [{operations: []}, {operations: [], weight: 2}]}]")
    (tmp_path / "nothing_keras.py").write_text(export_policy(nothing, "keras", exact=True))
    code = "import sys, numpy as np\nsys.path.insert(0, sys.argv[1])\n" + NUMPY_USE + ALBUMENTATIONS_USE + KERAS_USE
    assert run(f"{code}print('every assertion held')\n", tmp_path).endswith("every assertion held\n")


def test_the_policy_itself_comes_back_from_yaml_and_json() -> None:
    policy = load_policy("autoaugment-cifar10")
    for target in ("yaml", "json"):
        assert parse_policy(export_policy(policy, target)) == policy


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        (
            "layers: [{sub_policies: [{operations: [{operator: HorizontalFlip, probability: 0.5, magnitude: 1}]}]}]\n",
            "--hflip 0.5 --vflip 0",
        ),
        (
            "layers: [{sub_policies: [{operations: [{operator: VerticalFlip, magnitude: [0.2, 0.7]}]}]}]\n",
            "--hflip 0 --vflip 0.4",
        ),
        (
            """layers:
  - sub_policies: [{operations: []}]
  - sub_policies: [{operations: [{operator: Identity}]}, {operations: [{operator: JPEG, probability: 0}]}]
  - sub_policies: [{weight: 0, operations: [{operator: JPEG}]}, {operations: [{operator: Rotate, magnitude: 0}]}]
""",
            "--hflip 0 --vflip 0\n",
        ),
        ("format: 2\nmixing: {kind: cutmix, probability: 0.3, alpha: 0.2}\n", "--cutmix 0.2 --mixup-prob 0.3"),
        ("format: 2\nmixing: {kind: mixup-or-cutmix}\n", "--mixup 1 --cutmix 1 --mixup-prob 1"),
    ],
)
def test_timm_is_given_what_it_has(policy: str, options: str) -> None:
    assert options in export_policy(parse_policy(policy), "timm")


def test_two_flips_for_timm_are_one_of_the_share_that_is_flipped_once() -> None:
    once = parse_policy(
        "layers: [{sub_policies: [{operations: [{operator: HorizontalFlip, probability: 0.9, magnitude: 1}]}]}]\n"
    )
    assert "--hflip 0.18 " in export_policy(Policy(layers=once.layers * 2), "timm")


def test_timm_refuses_what_it_has_not() -> None:
    with pytest.raises(PolicyError, match="timm cannot express PadCrop"):
        export_policy(load_policy("flip-crop"), "timm")
    with pytest.raises(PolicyError, match=r"RandAugment .* exactly; allow timm's with --approximate"):
        export_policy(randaugment(2, 9), "timm")
    text = export_policy(randaugment(2, 9), "timm", approximate=True)
    assert "--aa rand-m9-n2-mstd0-inc1" in text
    assert "APPROXIMATION" in text


def test_two_layers_of_keras_without_a_seed_draw_apart_in_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    module: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(load_policy("randaugment"), "keras", exact=True), "exported", "exec"), module)
    module["seed_of_process"] = lambda: 7  # as in a worker
    first, second, again = module["Augment"](), module["Augment"](3), module["Augment"](3)
    draws = [module["ops"].convert_to_numpy(layer.draw(50)[2]) for layer in (first, module["Augment"](), second, again)]
    assert not np.array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[2], draws[3])


def test_a_run_gets_every_module_that_can_be() -> None:
    assert set(export_modules(load_policy("augmix"))) == {"policy_torchvision.py", "policy_kornia.py"}
    assert set(export_modules(load_policy("randaugment"))) == {
        f"policy_{name}.py" for name in ("torchvision", "kornia", *TARGETS)
    }
