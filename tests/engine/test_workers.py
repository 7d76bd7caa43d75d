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
from tests.conformance.test_exporters import photographs


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
        found = set(threads.map(lambda _: float(shared(images).double().sum()), range(32)))
    assert found == expected


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
