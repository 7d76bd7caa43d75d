"""What trials do on a GPU, as far as that shows without one, and threads on a CPU."""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from autoaug.modalities.attacks import generator_on
from autoaug.policy.loading import load_policy
from autoaug.policy.models import Policy
from autoaug.training import chunks, device
from autoaug.training.train import train_to_end
from autoaug.training.trial import Train
from tests.tasks import small_task


@pytest.mark.parametrize(
    ("place", "wanted", "expected"), [("cuda", True, True), ("cuda", False, False), ("cpu", True, False)]
)
def test_deterministic_algorithms_are_used_where_asked(
    place: str, wanted: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    setting = replace(small_task(), device=place, deterministic=wanted)
    with setting.computing():
        assert torch.are_deterministic_algorithms_enabled() == expected
        assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) == expected
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_clock_is_read_when_the_device_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU is given work long before it has done it, so the time of a chunk begins and ends when it is done."""
    events = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda place: events.append(place))
    device.finish("cuda:1")
    device.finish("cpu")
    assert events == ["cuda:1"]

    seconds = iter(range(1000))
    monkeypatch.setattr(chunks, "finish", lambda _: events.append("done"))
    monkeypatch.setattr(chunks, "time", SimpleNamespace(perf_counter=lambda: events.append("read") or next(seconds)))
    events.clear()
    *_, last = Train(load_policy("flip-crop")).run(small_task(), 0)
    assert events[:4] == ["done", "read", "done", "read"]
    assert last.augmentation_seconds == events.count("read") // 2


def test_noise_of_a_whole_batch_is_drawn_where_the_batch_is() -> None:
    generator = torch.Generator().manual_seed(0)
    assert generator_on(torch.device("cpu"), generator) is generator


def test_a_training_outside_of_trials_takes_one_thread_too() -> None:
    """With two, that of the filter of generated samples took 12 times the CPU time."""
    before, counts = torch.get_num_threads(), set[int]()
    torch.set_num_threads(2)
    try:
        train_to_end(small_task(epochs=1).plan(Policy(), 0), watch=lambda *_: counts.add(torch.get_num_threads()))
        assert (counts, torch.get_num_threads()) == ({1}, 2)
    finally:
        torch.set_num_threads(before)
