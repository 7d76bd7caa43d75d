"""Which GPUs the workers of Ray get; none is needed here."""

from __future__ import annotations

import pytest

from autoaug.errors import OptionError
from autoaug.search.executors import ray_workers, resolve_executor


@pytest.mark.parametrize("name", ["auto", "ray-tune"])
def test_an_index_of_a_gpu_is_refused_for_workers_that_see_only_their_own(name: str) -> None:
    with pytest.raises(OptionError, match=r"--device cuda:1: .* set CUDA_VISIBLE_DEVICES"):
        resolve_executor(name, 2, None, "cuda:1")
    assert resolve_executor("auto", 1, None, "cuda:1") == "inline"
    assert resolve_executor("ray-tune", 2, None, "cuda") == "ray-tune"


@pytest.mark.parametrize("gpus", [1, 2, 3, 8])
@pytest.mark.parametrize("workers", [1, 2, 3, 4, 7])
def test_no_worker_reserves_more_than_the_gpu_it_uses_and_there_is_room_for_all(
    gpus: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 9.0, "GPU": float(gpus)})
    each = ray_workers._gpus_each("cuda", workers)
    assert 0 < each <= 1
    assert gpus * int(1 / each + 1e-9) >= workers, "a worker is on one GPU"
    assert gpus * int(1 / each + 1e-9) < workers + gpus, "no GPU is shared by more than it must be"
    assert ray_workers._gpus_each("cpu", workers) == 0
