"""The work of ``scripts/bench_engine_ops``, which describes it."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from statistics import median
from typing import Any

import numpy as np
import torch

from autoaug.data.inputs import MemoryInputs
from autoaug.data.splits import Samples
from autoaug.policy.loading import load_policy
from autoaug.training.recipe import Recipe
from autoaug.training.setting import TrainingSetting
from autoaug.training.tasks import Classification
from autoaug.training.trial import Train
from benchmarks.contestants import Run, bare_backward, bare_warp, engine, engine_backward, others
from benchmarks.results import Results

SIZES = {"28x28x1": (1, 28, 28), "32x32x3": (3, 32, 32), "96x96x3": (3, 96, 96), "224x224x3": (3, 224, 224)}
BATCHES = {"28x28x1": (64, 256, 2048), "32x32x3": (64, 256, 2048), "96x96x3": (64, 256), "224x224x3": (64, 256)}
POLICIES = {"one operator": "trivialaugment-wide", "two operators": "randaugment"}
#: The largest batch for timing gradients, and libraries that process images one at a time.
SMALL = 256


def rates(runs: Mapping[str, Run], images: int, seconds: float) -> dict[str, float]:
    """Images per second of each run, from its median call. The runs take turns of a tenth of a second or two calls, so
    that a disturbance affects all of them. Each gets about `seconds` in total.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or min(map(len, times.values())) < 3:
        for name, run in runs.items():
            run()
            turn = time.perf_counter() + 0.1
            while time.perf_counter() < turn or len(times[name]) < 2:
                begun = time.perf_counter()
                run()
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                times[name].append(time.perf_counter() - begun)
    return {name: images / median(taken) for name, taken in times.items()}


def row(place: str, size: str, batch: int, seconds: float) -> dict[str, Any]:
    """All rates on one device for one batch size."""
    images = torch.rand(batch, *SIZES[size], device=place)
    runs = {"bare warp": bare_warp(images), "copy": images.clone}
    runs |= {label: engine(name, images) for label, name in POLICIES.items()}
    if place == "cpu":
        runs |= others(images, one_by_one=batch <= SMALL)
    figures = {"place": place, "size": size, "batch": batch, "images_per_second": rates(runs, batch, seconds)}
    if batch <= SMALL:
        for label, name in POLICIES.items():
            figures[f"gradients, {label}"] = rates(engine_backward(name, images), batch, seconds)
        figures["gradients, bare warp"] = rates(bare_backward(images), batch, seconds)
    return figures


def share_of_training(seconds: float) -> dict[str, float]:
    """The share of augmentation in the training time on 1,000 images of 32 x 32 x 3, as the trainer measures it."""
    draw = np.random.default_rng(0)
    labels = np.arange(1000) % 10
    samples = Samples(MemoryInputs(draw.integers(0, 256, (1000, 3, 32, 32), dtype=np.uint8)), labels)
    recipe = Recipe(epochs=max(2, round(seconds * 4)), batch_size=64)
    task = Classification(10)
    setting = TrainingSetting(
        task, samples, samples, test=None, model="auto", recipe=recipe, device="cpu", modality="image"
    )
    shares = {}
    for name in ("trivialaugment-wide", "flip-crop+randaugment"):
        *_, last = Train(load_policy(name)).run(setting, 0)
        shares[name] = last.augmentation_seconds / last.seconds
    return shares


def installed() -> dict[str, str]:
    """The versions of the timed packages."""
    versions = {}
    for package in ("torch", "torchvision", "kornia", "albumentations"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def keep_freed_memory() -> None:
    """Restart this program with a C library that keeps freed memory, unless it already does."""
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        kept = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}  # glibc's maximum
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | kept)


def main(options: argparse.Namespace) -> None:
    """Run the missing measurements."""
    keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    seconds = 0.2 if options.quick else 2.0
    results = Results(options.out, vars(options), fixed=("quick", "threads"))
    results.items.setdefault("command", " ".join(["scripts/bench_engine_ops", *sys.argv[1:]]))
    machine = {"processor": platform.machine(), "threads": options.threads, "versions": installed()}
    results.items.setdefault("machine", machine)
    results.once(results.items, "share_of_training", lambda: share_of_training(seconds))
    rows = results.items.setdefault("rows", [])
    known = {(figures["place"], figures["size"], figures["batch"]) for figures in rows}
    for place, size in product(["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"], SIZES):
        for batch in BATCHES[size][: 1 if options.quick else None]:
            if (place, size, batch) not in known:
                rows.append(row(place, size, batch, seconds))
                results.save()
                print(rows[-1], flush=True)
