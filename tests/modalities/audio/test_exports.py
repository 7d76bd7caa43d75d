"""Exported policies for sounds give the same sounds, in a fresh process that cannot see autoaug."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autoaug.engine.apply import apply_plan
from autoaug.engine.plan import Plan, draw_plan
from autoaug.engine.transform import PolicyTransform
from autoaug.errors import OptionError, PolicyError
from autoaug.exporters import export_modules, export_policy
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Chains, Layer, Mixing, Operation, Policy, SubPolicy, in_turn
from tests.samples import operators_of, policies_of, tones

#: Both compute in float32: a step of a codec may fall the other way.
CLOSE, SHARE = 1e-4, 0.999
OPERATORS = list(operators_of("audio"))
#: All operators one after another, so that runs of filters and of times begin and end anywhere.
EVERYTHING = Policy(
    name="everything",
    layers=tuple(
        Layer(sub_policies=tuple(SubPolicy(operations=(Operation(operator=o, magnitude=(0, 0.7)),)) for o in OPERATORS))
        for _ in range(4)
    ),
)
MIXED = {
    kind: load_policy("specaugment-sm").model_copy(update={"name": kind, "mixing": Mixing(kind=kind, alpha=0.4)})
    for kind in ("mixup", "cutmix", "mixup-or-cutmix")
}
CHAINED = EVERYTHING.model_copy(update={"name": "chained", "chains": Chains(width=2)})

RUN_TORCH = """
import sys, importlib.util, torch, numpy as np
given = np.load("given.npz")
waves, labels, made = torch.from_numpy(given["waves"]), torch.from_numpy(given["labels"]), {}
for name in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("exported", f"{name}.py")
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    out = module.Augment(seed=7)(waves, labels)
    made |= {f"{name}.waves": out[0].numpy(), f"{name}.labels": out[1].numpy()}
assert not any(name.split(".")[0] == "autoaug" for name in sys.modules), "a module imports autoaug"
np.savez("made.npz", **made)
"""
RUN_NUMPY = """
import sys, numpy as np, policy
given = np.load("given.npz")
np.save("made.npy", policy.apply_operations(given["waves"], given["choice"], given["magnitude"], given["uniforms"]))
whole = policy.Augment(seed=1)((given["waves"] * 32767).astype(np.int16))
assert whole.dtype == np.int16 and whole.shape == given["waves"].shape
assert policy.Augment(seed=1)(given["waves"][0, 0]).shape == given["waves"][0, 0].shape
assert not {"torch", "autoaug", "scipy"} & set(sys.modules), "the module imports too much"
"""


def sounds(n: int = 24) -> torch.Tensor:
    """Stereo sounds of several lengths."""
    waves = tones(n, 2, 2000)
    for i in range(0, n, 3):
        waves[i, :, 900 + 40 * i :] = 0
    return waves


def assert_same(ours: torch.Tensor, theirs: np.ndarray | torch.Tensor, at_least: float = SHARE) -> None:
    difference = (ours - torch.as_tensor(theirs)).abs()
    share = float((difference <= CLOSE).float().mean())
    assert share >= at_least, f"only {share:.4f} of the values agree, the largest difference is {difference.max():.4f}"


def loaded(policy: Policy, target: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(export_policy(policy, target, exact=True), "exported", "exec"), namespace)  # the text under test
    return namespace


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_replays(name: str) -> None:
    policy, waves = Policy(layers=in_turn(Operation(operator=name, magnitude=(0, 0.8)))), sounds(8)
    assert_same(policy.transform(seed=3)(waves), loaded(policy, "torch")["Augment"](seed=3)(waves))
    plan = draw_plan(policy, 8, torch.Generator().manual_seed(1))
    drawn = (plan.choice.numpy(), plan.magnitude.numpy(), plan.uniforms.numpy())
    assert_same(apply_plan(plan, waves), loaded(policy, "numpy")["apply_operations"](waves.numpy(), *drawn))


@pytest.mark.slow
def test_policies_replay_in_a_fresh_process(tmp_path: Path) -> None:
    unmixed = {name: policy for name, policy in policies_of("audio").items() if not policy.mixing}
    policies = {**unmixed, **MIXED, "everything": EVERYTHING, "chained": CHAINED}
    assert len(unmixed) > 6
    for name, policy in policies.items():
        (tmp_path / f"{name}.py").write_text(export_policy(policy, "torch", modality="audio", exact=True))
    waves, labels = sounds(), torch.eye(3)[torch.arange(24) % 3]
    np.savez(tmp_path / "given.npz", waves=waves.numpy(), labels=labels.numpy())
    subprocess.run([sys.executable, "-I", "-c", RUN_TORCH, *policies], check=True, cwd=tmp_path)
    made = np.load(tmp_path / "made.npz")
    for name, policy in policies.items():
        ours, soft = PolicyTransform(policy, seed=7, modality="audio")(waves, labels)
        assert_same(ours, made[f"{name}.waves"])
        np.testing.assert_allclose(made[f"{name}.labels"], soft.numpy(), atol=1e-6)


def test_the_numpy_module_replays_without_torch(tmp_path: Path) -> None:
    plan, waves = draw_plan(EVERYTHING, 48, torch.Generator().manual_seed(2)), sounds(48)
    (tmp_path / "policy.py").write_text(export_policy(EVERYTHING, "numpy"))
    drawn = {"choice": plan.choice, "magnitude": plan.magnitude, "uniforms": plan.uniforms}
    np.savez(tmp_path / "given.npz", waves=waves.numpy(), **{name: part.numpy() for name, part in drawn.items()})
    code = "import sys; sys.path.insert(0, '.')\n" + RUN_NUMPY
    subprocess.run([sys.executable, "-I", "-c", code], check=True, cwd=tmp_path)
    # A vocoder makes phases of what a filter has left, which is little more than rounding errors.
    assert_same(apply_plan(plan, waves), np.load(tmp_path / "made.npy"), at_least=0.99)


def test_modules_import_their_library_alone() -> None:
    modules, libraries = export_modules(EVERYTHING), ("torch", "numpy", "audiomentations")
    assert set(modules) == {f"policy_{name}.py" for name in libraries}
    for library in libraries:
        imported = re.findall(r"^(?:import|from) (\w+)", modules[f"policy_{library}.py"], re.MULTILINE)
        assert set(imported) - sys.stdlib_module_names == {library, "numpy"}, "recordings are arrays"
    masked = export_policy(load_policy("specaugment-sm"), "torch")
    imported = re.findall(r"^(?:import|from) (\w+)", masked, re.MULTILINE)
    assert set(imported) - sys.stdlib_module_names == {"torch"}


@pytest.mark.parametrize(
    ("name", "target", "packages"),
    [
        ("specaugment-sm", "torch", "PyTorch"),
        ("BackgroundNoise", "torch", "NumPy and PyTorch"),
        ("BackgroundNoise", "numpy", "NumPy"),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_the_first_line_names_the_packages_that_are_imported(
    name: str, target: str, packages: str, exact: bool
) -> None:
    policy = Policy(layers=in_turn(Operation(operator=name))) if name[0].isupper() else load_policy(name)
    assert export_policy(policy, target, exact=exact).partition("\n")[0].endswith(f", with only {packages}.")


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("given", [np.zeros(8, np.float32), [0.5], torch.tensor(0.5), torch.zeros(1, 1, 1, 8)])
def test_what_is_no_waveform_is_refused_in_words(given: Any, exact: bool) -> None:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(export_policy(load_policy("specaugment-sm"), "torch", exact=exact), namespace)  # the text under test
    with pytest.raises(ValueError, match=r"waveforms must be a tensor \[n, C, T\], \[C, T\] or \[T\], not"):
        namespace["Augment"]()(given)
    mixing = loaded(MIXED["mixup"], "torch")["Augment"](classes=2)
    with pytest.raises(ValueError, match="waveforms must be a tensor"):
        mixing(given, torch.tensor([1]))


@pytest.mark.parametrize("target", ["torch", "numpy"])
def test_waveforms_without_a_sample_or_with_channels_last_are_refused_in_words(target: str) -> None:
    augment = loaded(load_policy("specaugment-sm"), target)["Augment"](seed=0)
    for shape in ((2, 1, 0), (1, 0), (0,), (800, 2), (4, 800, 1)):  # the last as soundfile reads them
        wrong = torch.zeros(shape)
        with pytest.raises(ValueError, match="with at least one value, channels first"):
            augment(wrong if target == "torch" else wrong.numpy())
    with pytest.raises(OptionError, match="with at least one value"):
        load_policy("specaugment-sm").transform(seed=0)(torch.zeros(2, 1, 0))


def test_arrays_of_another_byte_order_are_those_of_this_one() -> None:
    waves = (sounds(8).numpy() * 20000).astype("<i2")
    policy = Policy(layers=in_turn(Operation(operator="Speed", magnitude=0.5)))
    ours, swapped = (loaded(policy, "numpy")["Augment"](seed=1)(waves.astype(order)) for order in ("<i2", ">i2"))
    assert swapped.dtype == ">i2"
    np.testing.assert_array_equal(ours, swapped)
    for wrong in (np.zeros((1, 1, 1, 8), np.float32), np.float32(0.5), np.array(0.5)):
        with pytest.raises(ValueError, match="waveforms must be a NumPy array"):
            loaded(policy, "numpy")["Augment"](seed=1)(wrong)
    with pytest.raises(ValueError, match="the waveforms have NaN"):
        loaded(policy, "numpy")["Augment"](seed=1)(np.full(8, np.nan))


def test_what_targets_lack_is_refused() -> None:
    known = "export to torch, numpy, audiomentations, yaml or json$"
    with pytest.raises(PolicyError, match=f"torchvision cannot express policies for audio; {known}"):
        export_policy(EVERYTHING, "torchvision")
    with pytest.raises(PolicyError, match="torch cannot express policies for image"):
        export_policy(load_policy("flip-crop"), "torch")
    with pytest.raises(PolicyError, match="numpy cannot express mixing"):
        export_policy(MIXED["mixup"], "numpy")


def test_plans_are_saved_and_replayed(tmp_path: Path) -> None:
    plan, waves = draw_plan(EVERYTHING, 24, torch.Generator().manual_seed(5)), sounds()
    plan.save(tmp_path / "plan.json")
    assert torch.equal(apply_plan(Plan.load(tmp_path / "plan.json"), waves), apply_plan(plan, waves))
