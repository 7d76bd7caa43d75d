"""The parts of exported code for images: functions and class texts, none of which refer to autoaug."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoaug.functional import bounds, workers
from autoaug.modalities import array_draws
from autoaug.modalities.image.exports import (
    apply,
    array_apply,
    array_noise,
    array_types,
    arrays,
    kornia,
    mixing,
    plain,
    torchvision,
    with_targets,
)
from autoaug.modalities.image.exports.idioms import albumentations as in_albumentations
from autoaug.modalities.image.exports.idioms import keras as in_keras
from autoaug.modalities.image.exports.idioms import kornia as in_kornia
from autoaug.modalities.image.exports.idioms import numpy as in_numpy
from autoaug.modalities.image.exports.idioms import torchvision as in_torchvision
from autoaug.modalities.runtime import ArrayRuntime, Runtime, TorchRuntime

_FOLDER = Path(__file__).parent
_TORCH_KINDS = {"samples": "samples", "colors": "colors", "warp": "warp", "projection": "warp", "field": "field"}
_ARRAY_KINDS = {"warp": "warp", "projection": "warp"}
_ARRAY_TYPES = """Array = Any
Size = tuple[int, int]
Table = list[list[tuple[float, list[tuple[int, float, float, float, float]]]]]"""
_IN_NUMPY = (bounds, workers, array_draws, array_types, arrays, array_noise, array_apply)

EXPORTS: Mapping[str, Runtime] = {
    "torchvision": TorchRuntime(
        "images = Augment()(images)",
        torchvision,
        True,
        _TORCH_KINDS,
        apply,
        plain,
        mixing,
        with_targets,
        words=in_torchvision,
    ),
    "kornia": TorchRuntime(
        "images = Augment()(images)",
        kornia,
        False,
        _TORCH_KINDS,
        apply,
        plain,
        mixing,
        words=in_kornia,
    ),
    "numpy": ArrayRuntime(
        "image = Augment()(image)",
        _IN_NUMPY,
        _ARRAY_KINDS,
        ("import os", "from typing import Any", "from PIL import Image"),
        _ARRAY_TYPES,
        _FOLDER / "numpy.txt",
        words=in_numpy,
    ),
    "albumentations": ArrayRuntime(
        "image = A.Compose([Augment()], seed=0)(image=image)['image']",
        _IN_NUMPY,
        _ARRAY_KINDS,
        ("from typing import Any", "import albumentations as A"),
        _ARRAY_TYPES,
        _FOLDER / "albumentations.txt",
        words=in_albumentations,
    ),
    "keras": ArrayRuntime(
        "images = Augment()(images, training=True)",
        (bounds, workers, arrays),
        _ARRAY_KINDS,
        ("from typing import Any", "from keras import ops", "import keras"),
        _ARRAY_TYPES,
        _FOLDER / "keras.txt",
        words=in_keras,
    ),
    "timm": Runtime("python train.py DATA OPTIONS"),
}
