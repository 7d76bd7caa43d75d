"""Augmentation in the workers of a ``DataLoader``, which decode JPEG files; part of ``scripts/bench_single``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from autoaug.policy.loading import load_policy

#: Workers, different files, and images per epoch.
WORKERS, FILES, EPOCH = 2, 64, 512
_SIDE = 224


class Files(Dataset[torch.Tensor]):
    """What a pipeline makes of files, one after another and again."""

    def __init__(self, paths: list[Path], pipeline: Callable[[Path], torch.Tensor]) -> None:
        self.paths, self.pipeline = paths, pipeline

    def __len__(self) -> int:
        return EPOCH

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.pipeline(self.paths[index % len(self.paths)])


class Pipeline:
    """Decode a file as a picture, augment that, and make a uint8 tensor ``[3, H, W]`` of it."""

    def __init__(self, transform: Callable[[Any], Any]) -> None:
        self.transform = transform

    def __call__(self, path: Path) -> torch.Tensor:
        from torchvision.transforms.v2 import functional

        with Image.open(path) as file:
            return functional.pil_to_tensor(self.transform(file.convert("RGB")))  # type: ignore[no-any-return]


class ArrayPipeline(Pipeline):
    """The same with an array in between, not a picture."""

    def __call__(self, path: Path) -> torch.Tensor:
        with Image.open(path) as file:
            array = self.transform(np.asarray(file.convert("RGB")))
        return torch.from_numpy(array).permute(2, 0, 1).contiguous()


def write_photographs(folder: Path) -> list[Path]:
    """JPEG files with what photographs have: smooth noise, whose power falls with the square of the frequency."""
    draw, paths = np.random.default_rng(0), []
    frequency = np.hypot(np.fft.fftfreq(_SIDE)[:, None], np.fft.fftfreq(_SIDE)[None])
    falling = 1 / np.maximum(frequency, 1 / _SIDE)
    for i in range(FILES):
        waves = np.fft.fft2(draw.standard_normal((3, _SIDE, _SIDE))) * falling
        values = np.fft.ifft2(waves).real
        shared = values.mean(0) + 0.3 * values  # channels go together
        low, high = np.quantile(shared, [0.01, 0.99])
        levels = np.clip((shared - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        paths.append(folder / f"{i}.jpg")
        Image.fromarray(levels.transpose(1, 2, 0)).save(paths[-1], quality=90)
    return paths


def pipelines(policy: str) -> dict[str, Pipeline]:
    """Transforms of the policy's kind by autoaug and torchvision, and none."""
    from torchvision.transforms import v2

    kind = v2.TrivialAugmentWide if policy == "trivialaugment-wide" else v2.RandAugment
    bilinear = kind(interpolation=v2.InterpolationMode.BILINEAR)
    return {
        "autoaug, PIL": Pipeline(load_policy(policy).transform(seed=0)),
        "autoaug, array": ArrayPipeline(load_policy(policy).transform(seed=0)),
        "torchvision": Pipeline(kind()),
        "torchvision, bilinear": Pipeline(bilinear),
        "decoded alone": Pipeline(v2.Identity()),
    }


def loader_rates(policy: str, paths: list[Path], epochs: int) -> dict[str, int]:
    """Images per second of the workers' CPU time, from the median epoch; the pipelines take turns."""
    loaders = {
        name: DataLoader(Files(paths, pipeline), 64, num_workers=WORKERS, persistent_workers=True)
        for name, pipeline in pipelines(policy).items()
    }
    spent: dict[str, list[float]] = {name: [] for name in loaders}
    workers: Mapping[str, list[psutil.Process]] = {name: _workers_of(loader) for name, loader in loaders.items()}
    for _ in range(epochs):
        for name, loader in loaders.items():
            before = _cpu_seconds(workers[name])
            for _ in loader:
                pass
            spent[name].append(_cpu_seconds(workers[name]) - before)
    return {name: round(EPOCH * WORKERS / median(times)) for name, times in spent.items()}


def _workers_of(loader: DataLoader[torch.Tensor]) -> list[psutil.Process]:
    """The processes of the loader's workers, after an epoch in which they started."""
    before = {process.pid for process in psutil.Process().children()}
    for _ in loader:
        pass
    return [process for process in psutil.Process().children() if process.pid not in before]


def _cpu_seconds(processes: list[psutil.Process]) -> float:
    spent = [process.cpu_times() for process in processes]
    return float(sum(times.user + times.system for times in spent))
