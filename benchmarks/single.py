"""The work of ``scripts/bench_single``, which describes it."""

from __future__ import annotations

import argparse
import importlib.util
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image

from autoaug.exporters import export_policy
from autoaug.modalities.image.examples import examples as photographs
from autoaug.policy.loading import load_policy
from benchmarks.contestants import similar_in_albumentations
from benchmarks.loading import WORKERS, loader_rates, write_photographs
from benchmarks.results import Results

POLICIES = ("trivialaugment-wide", "randaugment")
#: How many images a turn takes, and a batch.
TURN, BATCH = 32, 256

Transform = Callable[[Any], object]


def cpu_rates(runs: Mapping[str, tuple[Transform, list[Any]]], seconds: float, images: int = TURN) -> dict[str, int]:
    """Images per second of CPU time of each run, from its median turn, in which it takes what it is given, `images`
    in all. Each run gets about `seconds`. They take turns in random orders: what follows its like finds a warm cache.
    """
    draw = random.Random(0)
    times: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or min(map(len, times.values())) < 5:
        for name, (transform, given) in draw.sample([*runs.items()], len(runs)):
            torch.manual_seed(len(times[name]))  # who draws by it draws the same as the others
            transform(given[0])
            begun = time.thread_time()
            for one in given:
                transform(one)
            times[name].append(time.thread_time() - begun)
    return {name: round(images / median(taken)) for name, taken in times.items()}


def images_of(side: int) -> list[np.ndarray]:
    """Crops of the example photographs, uint8 ``[side, side, 3]``."""
    draw, pictures = np.random.default_rng(0), photographs()
    crops = []
    for i in range(TURN):
        top, left = draw.integers(0, pictures.shape[-1] // 3, 2)
        crop = Image.fromarray(pictures[i % len(pictures)].transpose(1, 2, 0)).crop((left, top, left + 53, top + 53))
        crops.append(np.asarray(crop.resize((side, side), Image.Resampling.BICUBIC)))
    return crops


def contestants(policy: str, side: int, folder: Path) -> dict[str, tuple[Transform, list[Any]]]:
    """What augments single images by a policy or its like, with the images in the form that it takes."""
    from torchvision.transforms import v2

    arrays = images_of(side)
    pictures = [Image.fromarray(array) for array in arrays]
    tensors = [torch.from_numpy(array.copy()).permute(2, 0, 1).contiguous() for array in arrays]
    given = load_policy(policy)
    bilinear = v2.InterpolationMode.BILINEAR
    kind = v2.TrivialAugmentWide if policy == "trivialaugment-wide" else v2.RandAugment
    runs: dict[str, tuple[Transform, list[Any]]] = {
        "autoaug, array": (given.transform(seed=0), arrays),
        "autoaug, PIL": (given.transform(seed=0), pictures),
        "autoaug, tensor": (given.transform(seed=0), tensors),
        "autoaug by torch, tensor": (given.transform(seed=0, backend="torch"), tensors),
        "torchvision, PIL": (kind(), pictures),
        "torchvision, PIL, bilinear": (kind(interpolation=bilinear), pictures),
        "torchvision, tensor": (kind(), tensors),
        "torchvision, tensor, bilinear": (kind(interpolation=bilinear), tensors),
        "exported torchvision, PIL": (exported(given, "torchvision", folder).Augment(), pictures),
        "exported torchvision, tensor": (exported(given, "torchvision", folder).Augment(), tensors),
        "exported numpy, array": (exported(given, "numpy", folder).Augment(seed=0), arrays),
    }
    try:
        import albumentations
    except ImportError:
        return runs
    similar = similar_in_albumentations(1 if policy == "trivialaugment-wide" else 2)
    compose = albumentations.Compose([exported(given, "albumentations", folder).Augment()], seed=0)
    return runs | {
        "albumentations, array": (lambda image: similar(image=image), arrays),
        "exported albumentations, array": (lambda image: compose(image=image), arrays),
    }


def exported(policy: Any, target: str, folder: Path) -> ModuleType:
    """The exported module of a policy."""
    path = folder / f"{target}.py"
    path.write_text(export_policy(policy, target), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(f"exported_{target}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batches(policy: str, side: int) -> dict[str, tuple[Transform, list[Any]]]:
    """The engine on arrays and torch, with a uint8 batch of 256."""
    tensors = torch.stack([torch.from_numpy(array.copy()).permute(2, 0, 1) for array in images_of(side)])
    batch = tensors.repeat(BATCH // TURN, 1, 1, 1)
    return {
        name: (load_policy(policy).transform(seed=0, backend=backend), [batch])
        for name, backend in (("by arrays", "auto"), ("by torch", "torch"))
    }


def main(options: argparse.Namespace) -> None:
    """Run the missing measurements."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    _one_thread_of_opencv()
    seconds = 0.3 if options.quick else 4.0
    results = Results(options.out, vars(options), fixed=("quick",))
    single = results.items.setdefault("images_per_second", {})
    together = results.items.setdefault(f"images_per_second_in_batches_of_{BATCH}", {})
    loaded = results.items.setdefault(f"images_per_second_in_a_loader_of_{WORKERS}_workers", {})
    with tempfile.TemporaryDirectory() as folder:
        paths = write_photographs(Path(folder))
        for policy in POLICIES:
            measure = partial(loader_rates, policy, paths, 2 if options.quick else 7)
            if results.once(loaded, f"{policy}, 224 px JPEG files", measure):
                print(policy, *loaded.values(), flush=True)
            for side in map(int, options.sizes.split(",")):
                name = f"{policy}, {side} px"
                alone, batch = contestants(policy, side, Path(folder)), batches(policy, side)
                for part, rates in (
                    (single, partial(cpu_rates, alone, seconds)),
                    (together, partial(cpu_rates, batch, seconds, BATCH)),
                ):
                    if results.once(part, name, rates):
                        print(name, part[name], flush=True)


def _one_thread_of_opencv() -> None:
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(1)
