"""Exported policies for clips give the same clips, in a fresh process that cannot see autoaug."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from autoaug.engine.transform import PolicyTransform
from autoaug.errors import PolicyError
from autoaug.exporters import export_modules, export_policy
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Chains, Layer, Mixing, Operation, Policy, SubPolicy, in_turn
from tests.conformance.test_exporters import assert_same
from tests.samples import clips, operators_of, policies_of

TARGETS = ["torchvision", "kornia"]
OPERATORS = list(operators_of("video"))
#: All operators one after another, so that runs of warps and of choices of frames begin and end anywhere.
EVERYTHING = Policy(
    name="everything",
    layers=tuple(
        Layer(sub_policies=tuple(SubPolicy(operations=(Operation(operator=o, magnitude=(0, 0.6)),)) for o in OPERATORS))
        for _ in range(2)
    ),
)
MIXED = {
    kind: load_policy("video-flip-crop").model_copy(update={"name": kind, "mixing": Mixing(kind=kind, alpha=0.4)})
    for kind in ("mixup", "cutmix", "resizemix", "mixup-or-cutmix")
}
CHAINED = load_policy("video-randaugment").model_copy(update={"name": "chained", "chains": Chains(width=2)})
UNMIXED = {name: policy for name, policy in policies_of("video").items() if not policy.mixing}
POLICIES = {**UNMIXED, **MIXED, "everything": EVERYTHING, "chained": CHAINED}

RUN = """
import sys, importlib.util, torch, numpy as np
given = np.load("given.npz")
clips, labels, made = torch.from_numpy(given["clips"]), torch.from_numpy(given["labels"]), {}
for name in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("exported", f"{name}.py")
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    out = module.Augment(seed=7)(clips, labels)
    made |= {f"{name}.clips": out[0].numpy(), f"{name}.labels": out[1].numpy()}
assert not any(name.split(".")[0] == "autoaug" for name in sys.modules), "a module imports autoaug"
np.savez("made.npz", **made)
"""


def loaded(policy: Policy, target: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(
        compile(export_policy(policy, target, exact=True, modality="video"), "exported", "exec"), namespace
    )  # the text under test
    return namespace


@pytest.mark.parametrize("target", TARGETS)
def test_every_operator_replays(target: str) -> None:
    given = clips(3, frames=2, size=(14, 18))
    for name in OPERATORS:
        policy = Policy(name=name, layers=in_turn(Operation(operator=name, magnitude=(0, 0.8))))
        assert_same(policy.transform(seed=3)(given), loaded(policy, target)["Augment"](seed=3)(given).numpy())


def replay(folder: Path, target: str, policies: dict[str, Policy]) -> None:
    for name, policy in policies.items():
        (folder / f"{name}.py").write_text(export_policy(policy, target, exact=True, modality="video"))
    given, labels = clips(8, frames=3, size=(14, 18)), torch.eye(3)[torch.arange(8) % 3]
    np.savez(folder / "given.npz", clips=given.numpy(), labels=labels.numpy())
    subprocess.run([sys.executable, "-I", "-c", RUN, *policies], check=True, cwd=folder)
    made = np.load(folder / "made.npz")
    for name, policy in policies.items():
        ours, soft = PolicyTransform(policy, seed=7, modality="video")(given, labels)
        assert_same(ours, made[f"{name}.clips"])
        np.testing.assert_allclose(made[f"{name}.labels"], soft.numpy(), atol=1e-6)


def test_policies_replay_with_torchvision_in_a_fresh_process(tmp_path: Path) -> None:
    few = ("video-flip-crop", "cutmix", "chained", "everything")
    replay(tmp_path, "torchvision", {name: POLICIES[name] for name in few})


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_all_policies_replay_in_a_fresh_process(target: str, tmp_path: Path) -> None:
    replay(tmp_path, target, POLICIES)


@pytest.mark.parametrize("target", TARGETS)
def test_modules_take_what_users_have(target: str) -> None:
    augment = loaded(load_policy("video-trivialaugment"), target)["Augment"](seed=0)
    video = (clips(1)[0] * 255).byte()
    for given in (video, tv_tensors.Video(video), video[None], video.half() / 255):
        made = augment(given)
        assert made.shape == given.shape
        assert made.dtype == given.dtype
    with pytest.raises(ValueError, match="clips must be"):
        augment(video[0])
    with pytest.raises(ValueError, match="not a single clip"):
        loaded(MIXED["mixup"], target)["Augment"](seed=0)(video, torch.tensor([0]))


def test_modules_import_their_libraries_alone() -> None:
    usual = load_policy("video-randaugment") + Policy(layers=in_turn(Operation(operator="Reverse", magnitude=1)))
    modules = export_modules(usual)
    assert set(modules) == {"policy_torchvision.py", "policy_kornia.py"}
    for name, libraries in (
        ("policy_torchvision.py", {"torch", "torchvision"}),
        ("policy_kornia.py", {"torch", "kornia"}),
    ):
        imported = re.findall(r"^(?:import|from) (\w+)", modules[name], re.MULTILINE)
        assert set(imported) - sys.stdlib_module_names == libraries


@pytest.mark.parametrize("target", ["torch", "numpy", "albumentations", "keras", "timm"])
def test_other_targets_are_refused(target: str) -> None:
    with pytest.raises(PolicyError, match="video"):
        export_policy(load_policy("video-flip-crop"), target)
