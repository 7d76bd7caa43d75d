"""Every exporter to torch, for every operator and built-in policy: the exported code gives the same images."""

from __future__ import annotations

import importlib.util
import itertools
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from autoaug.exporters import EXPORTERS, export_policy
from autoaug.exporters.module import TorchTarget
from autoaug.modalities.kinds import known_kinds
from autoaug.modalities.registry import get_modality
from autoaug.policy.loading import load_policy, parse_policy
from autoaug.policy.models import Layer, Mixing, Operation, Policy, SubPolicy, in_turn
from tests.samples import operators_of, photographs, policies_of

# Two libraries' float arithmetic differs in the last digits; where a value then falls on the other side of a step
# (a level of 256, a threshold, a pixel's edge), one pixel may differ by more. Hence: nearly all pixels nearly equal.
CLOSE, SHARE = 2e-3, 0.998

#: Of images; those of sounds are tested in `tests/modalities/audio`.
OF_IMAGES = [name for name in EXPORTERS if name in get_modality("image").exports]
TARGETS = [name for name in OF_IMAGES if isinstance(EXPORTERS[name], TorchTarget)]

RUN = """
import sys, importlib.util, torch, numpy as np
given = np.load(sys.argv[1])
images, labels = torch.from_numpy(given["images"]), torch.from_numpy(given["labels"])
made = {}
for name in sys.argv[4:]:
    spec = importlib.util.spec_from_file_location("exported", f"{sys.argv[3]}/{name}.py")
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    out = module.Augment(seed=7)(images, labels)
    made |= {f"{name}.images": out[0].numpy(), f"{name}.labels": out[1].numpy()}
assert not any(name.split(".")[0] == "autoaug" for name in sys.modules), "a module imports autoaug"
np.savez(sys.argv[2], **made)
"""

#: Square for images of one channel: some operators then do other things.
SIZES = {1: (22, 22), 3: (20, 26)}

MIXED = {
    kind: load_policy("flip-crop").model_copy(update={"mixing": Mixing(kind=kind, probability=0.7, alpha=0.4)})
    for kind in known_kinds(get_modality("image"))["mixing"]
}
#: Built-in policies that need no labels; mixing has tests of its own.
UNMIXED = {name: policy for name, policy in policies_of().items() if not policy.mixing}
POLICIES = {**UNMIXED, **MIXED}


@pytest.fixture(scope="module", params=TARGETS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the exported modules of `POLICIES` make of photographs and their labels, in one fresh process that cannot
    see autoaug.
    """
    folder, images = tmp_path_factory.mktemp(request.param), photographs()
    for name, policy in POLICIES.items():
        (folder / f"{name}.py").write_text(exact(policy, request.param))
    np.savez(folder / "given.npz", images=images.numpy(), labels=labels_of(images).numpy())
    command = [sys.executable, "-I", "-c", RUN, "given.npz", "made.npz", folder, *POLICIES]
    subprocess.run(command, check=True, cwd=folder)
    with np.load(folder / "made.npz") as file:
        return dict(file)


def exact(policy: Policy, target: str) -> str:
    """The module that replays plans."""
    return export_policy(policy, target, exact=True)


def labels_of(images: torch.Tensor) -> torch.Tensor:
    return torch.eye(3)[torch.arange(len(images)) % 3]


def loaded(policy: Policy, target: str) -> Any:
    """The exported module's ``Augment``, in this process."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(exact(policy, target), "exported", "exec"), namespace)  # the text under test
    return namespace["Augment"]


def assert_same(ours: torch.Tensor, theirs: np.ndarray) -> None:
    difference = (ours - torch.from_numpy(theirs)).abs()
    share = float((difference <= CLOSE).float().mean())
    assert share >= SHARE, f"only {share:.4f} of the pixels agree, the largest difference is {difference.max():.4f}"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.fault("properties", "exported code is the engine")
def test_every_operator_replays(target: str, channels: int) -> None:
    """In this process, operator by operator: the functions that the modules carry."""
    images = photographs(channels=channels, size=SIZES[channels])
    signs = itertools.cycle(("both", "positive", "negative"))
    for name, sign in zip(operators_of(), signs, strict=False):
        policy = Policy(layers=in_turn(Operation(operator=name, sign=sign)))
        last = images.to(memory_format=torch.channels_last)  # as many programs on GPUs have them
        theirs = loaded(policy, target)(seed=3)(last)
        ours = policy.transform(seed=3)(images)
        try:
            assert_same(ours, theirs.numpy())
        except AssertionError as error:
            raise AssertionError(f"{name}, exported to {target}: {error}") from None


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["trivialaugment-wide", "augmix", *operators_of()])
def test_gradients_pass_an_exported_module(target: str, name: str) -> None:
    """Twice, with a step between that needs the values before it."""
    if name in operators_of():
        operation = Operation(operator=name, magnitude=(1.0, 1.0) if operators_of()[name].is_switch else (0.3, 0.8))
        policy = Policy(layers=in_turn(operation, Operation(operator="Gamma", magnitude=(0.2, 0.4)), operation))
    else:
        policy = load_policy(name)
    images = (photographs(4, size=(12, 12)) * 0.9 + 0.05).requires_grad_()
    loaded(policy, target)(seed=1)(images).sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", operators_of())
def test_a_module_imports_its_target_alone(target: str, name: str) -> None:
    policy = Policy(layers=in_turn(Operation(operator=name)))
    imported = re.findall(r"^(?:import|from) (\w+)", exact(policy, target), re.MULTILINE)
    assert set(imported) - sys.stdlib_module_names <= {"torch", target}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if "augmix" in name else name for name in UNMIXED]
)
@pytest.mark.fault("properties", "exported code is the engine")
def test_built_in_policies_replay_in_a_fresh_process(name: str, made: dict[str, np.ndarray]) -> None:
    assert_same(POLICIES[name].transform(seed=7)(photographs()), made[f"{name}.images"])


@pytest.mark.parametrize("kind", MIXED)
def test_mixing_replays_in_a_fresh_process(kind: str, made: dict[str, np.ndarray]) -> None:
    images = photographs()
    ours, labels = MIXED[kind].transform(seed=7)(images, labels_of(images))
    assert_same(ours, made[f"{kind}.images"])
    np.testing.assert_allclose(labels.numpy(), made[f"{kind}.labels"], atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.fault("security", "names in exported code")
def test_a_hostile_name_stays_a_comment(target: str) -> None:
    policy = load_policy("flip-crop").model_copy(update={"name": "x\nraise SystemExit('ran')\n"})
    namespace: dict[str, object] = {}
    exec(compile(exact(policy, target), "exported", "exec"), namespace)
    assert "Augment" in namespace


MOVING = sorted(o.name for o in operators_of().values() if o.kind in {"warp", "projection", "field"})


@pytest.mark.parametrize("name", MOVING)
def test_boxes_masks_and_key_points_move_as_in_the_library(name: str) -> None:
    size = (20, 26)
    range_of = (1.0, 1.0) if operators_of()[name].is_switch else (0.1, 0.4)
    operations = (Operation(operator=name, magnitude=range_of), Operation(operator="Rotate"))
    policy = Policy(layers=(Layer(sub_policies=(SubPolicy(operations=operations),)),))
    target = {
        "boxes": tv_tensors.BoundingBoxes(torch.tensor([[3.0, 4.0, 12.0, 15.0]]), format="XYXY", canvas_size=size),
        "masks": tv_tensors.Mask((photographs(1, 1)[0] * 4).round().to(torch.uint8)),
        "points": tv_tensors.KeyPoints(torch.tensor([[6.0, 7.0]]), canvas_size=size),
        "labels": torch.tensor([3]),
    }
    image = tv_tensors.Image((photographs(1)[0] * 255).to(torch.uint8))
    ours, theirs = policy.transform(seed=5), loaded(policy, "torchvision")(seed=5)
    both = v2.Compose([theirs])(image, target), ours(image, target)
    torch.testing.assert_close(*both)
    assert isinstance(both[0][0], tv_tensors.Image)
    many = ours(photographs(2), [target, target]), theirs(photographs(2), [target, target])
    torch.testing.assert_close(*many)


@pytest.mark.parametrize("target", TARGETS)
def test_workers_of_a_loader_draw_for_themselves(target: str) -> None:
    images = (photographs(8) * 255).to(torch.uint8)
    policy = load_policy("randaugment")

    class Views(Dataset):
        def __init__(self, transform: Any) -> None:
            self.transform = transform

        def __len__(self) -> int:
            return 8

        def __getitem__(self, index: int) -> torch.Tensor:
            return self.transform(images[0])

    def epochs(transform: Any) -> list[torch.Tensor]:
        loader = DataLoader(Views(transform), 8, num_workers=2, generator=torch.Generator().manual_seed(1))
        return [torch.cat(list(loader)) for _ in range(2)]

    theirs = epochs(loaded(policy, target)(seed=3))
    assert len({view.numpy().tobytes() for epoch in theirs for view in epoch}) > 12, "the workers repeat one another"
    for epoch, own in zip(theirs, epochs(policy.transform(seed=3, backend="torch")), strict=True):
        assert_same(own.float() / 255, epoch.float().numpy() / 255)


class OneView(Dataset):
    """What several transforms make of one image, `n` times."""

    def __init__(self, transforms: dict[str, Any], n: int) -> None:
        self.transforms, self.n = transforms, n
        self.image = (photographs(1)[0] * 255).to(torch.uint8)

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: transform(self.image) for name, transform in self.transforms.items()}


@pytest.mark.parametrize("target", TARGETS)
def test_a_pickled_module_draws_as_the_original(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is how one travels to a worker that is started anew; see below."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"pickled_{target}.py").write_text(exact(load_policy("randaugment"), target))
    transform = importlib.import_module(f"pickled_{target}").Augment(seed=3)
    received, image = pickle.loads(pickle.dumps(transform)), (photographs(1)[0] * 255).to(torch.uint8)
    assert torch.equal(received(image), transform(image))
    assert not torch.equal(received(image), image)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_transforms_travel_to_workers_that_are_started_anew(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They draw there what they draw in a worker that is forked."""
    policy = load_policy("randaugment")
    monkeypatch.syspath_prepend(tmp_path)
    transforms: dict[str, Any] = {"autoaug": policy.transform(seed=3)}
    for target in TARGETS:
        (tmp_path / f"sent_{method}_{target}.py").write_text(exact(policy, target))
        transforms[target] = importlib.import_module(f"sent_{method}_{target}").Augment(seed=3)
        (tmp_path / f"own_{method}_{target}.py").write_text(export_policy(policy, target))
        transforms[f"idiomatic {target}"] = importlib.import_module(f"own_{method}_{target}").Augment()

    def views(how: str) -> dict[str, torch.Tensor]:
        seed = torch.Generator().manual_seed(1)
        (batch,) = DataLoader(OneView(transforms, 6), 6, num_workers=1, multiprocessing_context=how, generator=seed)
        return batch

    here, there = views("fork"), views(method)
    for name in transforms:
        assert torch.equal(here[name], there[name]), name
        assert len({view.numpy().tobytes() for view in there[name]}) > 3


@pytest.mark.parametrize("target", TARGETS)
def test_sub_policies_of_unequal_length_are_drawn_for_single_images_too(target: str, tmp_path: Path) -> None:
    """A single image is drawn in plain numbers, by other code than a batch."""
    one, two = "{operator: Invert}", "{operator: Rotate, magnitude: [0, 0.2]}"
    text = f"layers: [sub_policies: [{{operations: [{one}]}}, {{operations: [{one}, {two}]}}]]"
    (tmp_path / "uneven.py").write_text(exact(parse_policy(text), target))
    spec = importlib.util.spec_from_file_location(f"uneven_{target}", tmp_path / "uneven.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    augment, image = module.Augment(seed=0), torch.rand(3, 9, 9)
    drawn = {augment(image).numpy().tobytes() for _ in range(20)}
    assert (1 - image).numpy().tobytes() in drawn
    assert len(drawn) > 5
