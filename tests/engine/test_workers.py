"""The module as a transform of single samples: in workers, threads, copies and pickles."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from autoaug.engine.transform import PolicyTransform
from autoaug.policy.loading import load_policy
from tests.conformance.test_exporters import loaded, photographs


class Repeated(Dataset[torch.Tensor]):
    """The same image, transformed anew for each index."""

    def __init__(self, transform: PolicyTransform, n: int = 16) -> None:
        self.image, self.transform, self.n = photographs(1)[0], transform, n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> torch.Tensor:
        out = self.transform(self.image)
        assert isinstance(out, torch.Tensor)
        return out


def epochs(seed: int, loader_seed: int, persistent: bool = False) -> list[torch.Tensor]:
    """What two epochs of two workers give, with operators whose magnitude never repeats."""
    data = Repeated(load_policy("trivialaugment+trivialaugment").transform(seed=seed))
    generator = torch.Generator().manual_seed(loader_seed)
    loader = DataLoader(data, batch_size=4, num_workers=2, generator=generator, persistent_workers=persistent)
    return [torch.cat(list(loader)) for _ in range(2)]


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_and_epochs_draw_differently_and_runs_repeat(persistent: bool) -> None:
    first, second = epochs(1, 2, persistent)
    for images in (first, second, torch.cat([first, second])):
        distinct = {tuple(image.flatten().tolist()) for image in images}
        assert len(distinct) > 0.85 * len(images), "workers or epochs repeat each other"
    again = epochs(1, 2, persistent)
    assert torch.equal(first, again[0])
    assert torch.equal(second, again[1])
    assert not torch.equal(first, epochs(3, 2, persistent)[0]), "the module's seed counts"
    assert not torch.equal(first, epochs(1, 4, persistent)[0]), "the loader's seed counts"


def test_threads_share_a_module_and_no_plan_is_drawn_twice() -> None:
    images, alone = photographs(8), load_policy("randaugment").transform(seed=5)
    expected = {float(alone(images).double().sum()) for _ in range(32)}
    shared = load_policy("randaugment").transform(seed=5)
    with ThreadPoolExecutor(8) as threads:
        sums = set(threads.map(lambda _: float(shared(images).double().sum()), range(32)))
    assert sums == expected


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_goes_on_where_the_module_was(duplicate: object) -> None:
    images, module = photographs(), load_policy("randaugment").transform(seed=5)
    module(images)
    duplicate = duplicate(module)  # type: ignore[operator]
    assert torch.equal(duplicate(images), module(images))


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_one_image_is_a_batch_of_one(dtype: torch.dtype) -> None:
    image = (photographs(1) * 255).to(dtype)[0] if dtype == torch.uint8 else photographs(1)[0]
    policy = load_policy("flip-crop+randaugment")
    alone, batch = policy.transform(seed=2)(image), policy.transform(seed=2)(image[None])
    assert alone.shape == image.shape
    assert alone.dtype == dtype
    assert torch.equal(alone, batch[0])


@pytest.mark.parametrize("exported", [False, True])
def test_a_state_dict_goes_on_with_the_stream(exported: bool) -> None:
    policy, images = load_policy("randaugment"), photographs()
    make = loaded(policy, "torchvision") if exported else policy.transform
    first, second = make(seed=5), make(seed=6)
    first(images)
    state = first.state_dict()
    assert all(isinstance(value, torch.Tensor) for value in state.values()), "it can be saved as safetensors"
    second.load_state_dict(state)
    for _ in range(2):
        assert torch.equal(second(images), first(images))
    assert second.seed == first.seed, "workers draw by it"


def test_a_state_dict_of_before_is_loaded_and_changes_nothing() -> None:
    images, policy = photographs(), load_policy("randaugment")
    expected = policy.transform(seed=5)(images)
    inner = policy.transform(seed=5)
    model = torch.nn.Sequential(inner, torch.nn.Conv2d(3, 2, 1))
    older = {name: value for name, value in model.state_dict().items() if not name.endswith("_extra_state")}
    assert len(older) < len(model.state_dict())
    model.load_state_dict(older)
    assert torch.equal(inner(images), expected)


@pytest.mark.parametrize("target", ["autoaug", "torchvision", "numpy"])
def test_ranks_draw_differently_with_one_seed_and_repeat(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy("trivialaugment")
    images = photographs(8).permute(0, 2, 3, 1).numpy() if target == "numpy" else photographs(8)
    make = policy.transform if target == "autoaug" else loaded(policy, target)
    alone = make(seed=3)(images).tolist()
    drawn = {}
    for rank in (0, 1, 2):
        monkeypatch.setenv("RANK", str(rank))
        drawn[rank] = make(seed=3)(images).tolist()
        assert make(seed=3)(images).tolist() == drawn[rank]
    assert drawn[0] == alone
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]


def test_ranks_that_load_the_state_of_the_first_still_draw_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    images, policy = photographs(8), load_policy("trivialaugment")
    first = policy.transform(seed=3)
    first(images)
    state, drawn = first.state_dict(), []
    for rank in (0, 1, 2, 1):
        monkeypatch.setenv("RANK", str(rank))
        own = policy.transform(seed=3)
        own.load_state_dict(state)
        drawn.append(own(images).tolist())
    assert drawn[1] == drawn[3]
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    monkeypatch.delenv("RANK")
    assert drawn[0] == first(images).tolist()
