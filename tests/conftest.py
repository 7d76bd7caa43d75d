"""Small data sets for the tests of several packages."""

from __future__ import annotations

import gzip
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from autoaug.results import SearchResult

pytest_plugins = ("tests.faults.cases",)

#: A third party's package, found by its entry point here and in every process that a test starts.
TOY = str(Path(__file__).parent / "toy")
sys.path.insert(0, TOY)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [TOY, os.environ.get("PYTHONPATH")]))

#: No test asks a hub: without a network, each question would be asked again and again before it fails.
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}

settings.register_profile("any machine", deadline=None)  # a busy one is slow, not wrong
settings.load_profile("any machine")
torch.set_num_threads(1)

#: Seconds after which a test calls a process hung. A busy machine takes many times as long as a quiet one.
PATIENCE = 600.0
#: What takes longer to import than a user waits for a help text.
HEAVY = ("torch", "torchvision", "kornia", "ray", "optuna", "plotly", "scipy", "sklearn", "numpy", "PIL")
CHECKOUT = Path(__file__).parents[1]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in what a shell runs in the background: what the tests start would not hear of Ctrl-C either.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def bars(n: int, classes: int = 3, size: int = 12, channels: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 ``[n, size, size, channels]`` whose class is the place of a bright bar, under noise."""
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    images = draw.integers(0, 90, (n, size, size, channels))
    for image, label in zip(images, labels, strict=True):
        start = label * size // classes
        image[start : start + size // classes] += 110
    return images.astype(np.uint8), labels.astype(np.int64)


def published() -> SearchResult:
    """The result of a search that is published: with probes, and a comparison that took two looks."""
    return SearchResult.load(CHECKOUT / "reports/cifar-2k-auto")


@contextmanager
def without_report() -> Iterator[None]:
    """Runs in the block end without their report: to draw its charts takes as long as a small search."""
    with patch("autoaug.pipeline.run.write_report", lambda folder: folder.report.touch()):
        yield


@pytest.fixture
def no_report() -> Iterator[None]:
    """For tests that do not look at the report of a run."""
    with without_report():
        yield


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    """An .npz with 120 training and 60 test images of three classes."""
    return write_npz(tmp_path / "bars.npz")


def write_npz(path: Path, **changes: np.ndarray) -> Path:
    """The same with arrays replaced or added."""
    x_train, y_train = bars(120)
    x_test, y_test = bars(60, seed=1)
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    np.savez_compressed(path, **{**arrays, **changes})
    return path


def write_idx(path: Path, array: np.ndarray) -> None:
    """An IDX file, the format of MNIST."""
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_folder(root: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """A folder of PNG files per class."""
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = root / f"class {label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.squeeze()).save(folder / f"{index:04d}.png")


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Ended]]:
    """The command line with `arguments` in `folder`. It runs in this process: a new one would load its libraries for
    seconds.
    """
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object, folder: Path) -> Ended:
        from autoaug.cli.main import main

        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["autoaug", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    yield run
    for number, handler in signals.items():
        signal.signal(number, handler)


@pytest.fixture
def refused(command: Callable[..., Ended]) -> Callable[..., str]:
    """What the command line says to `arguments` in `folder`, which it must refuse with one line and exit code 2.
    Before it, a slow machine may see signs of life.
    """

    def run(*arguments: str, folder: Path) -> str:
        ended = command(*arguments, folder=folder)
        assert ended.code == 2, ended.stderr
        [line] = (line for line in ended.stderr.strip().splitlines() if not line.startswith("… "))
        return line

    return run
