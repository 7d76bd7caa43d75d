"""The parts of exported code for sound: functions and class texts, none of which refer to autoaug."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoaug.functional import bounds, workers
from autoaug.modalities import array_draws
from autoaug.modalities.audio import fourier, recordings, signals
from autoaug.modalities.audio.exports import apply, array_apply, arrays, mixing, plain
from autoaug.modalities.audio.exports.idioms import audiomentations as in_audiomentations
from autoaug.modalities.audio.exports.idioms import torch as in_torch
from autoaug.modalities.runtime import ArrayRuntime, Runtime, TorchRuntime

_KINDS = {kind: kind for kind in ("samples", "resized", "response", "times")}
_ARRAY_TYPES = """Array = Any
Table = list[list[tuple[float, list[tuple[int, float, float, float, float]]]]]
BANKS: dict[Any, Array] = {}"""

_ARRAY_KINDS = {kind: kind for kind in _KINDS if kind != "samples"}
_IN_NUMPY = (bounds, workers, array_draws, fourier, recordings, arrays, array_apply)
_FOLDER = Path(__file__).parent

EXPORTS: Mapping[str, Runtime] = {
    "torch": TorchRuntime("waves = Augment()(waves)", signals, False, _KINDS, apply, plain, mixing, words=in_torch),
    "numpy": ArrayRuntime(
        "wave = Augment()(wave)",
        _IN_NUMPY,
        _ARRAY_KINDS,
        ("import os", "from typing import Any"),
        _ARRAY_TYPES,
        _FOLDER / "numpy.txt",
    ),
    "audiomentations": ArrayRuntime(
        "samples = Augment()(samples, 16000)",
        _IN_NUMPY,
        _ARRAY_KINDS,
        ("import random", "from typing import Any", "import audiomentations.core.transforms_interface as A"),
        _ARRAY_TYPES,
        _FOLDER / "audiomentations.txt",
        words=in_audiomentations,
    ),
}
