"""Named data sets: scikit-learn's digits, and torchvision's if their files are available."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autoaug.data.inputs import MemoryInputs
from autoaug.data.labels import index_labels
from autoaug.data.source import Role, Source
from autoaug.errors import DataError, UnknownName
from autoaug.modalities.image.sources.arrays import image_source
from autoaug.utils.files import cache_folder

#: torchvision's sets that hold all images in memory and take ``train=``.
TORCHVISION = ("CIFAR10", "CIFAR100", "MNIST", "FashionMNIST", "KMNIST", "QMNIST", "USPS")


def open_digits() -> Source:
    """1,797 handwritten digits, 8 x 8 gray, from scikit-learn (UCI; Alpaydin and Kaynak, 1998)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images * (255 / 16)).round().astype(np.uint8)[:, None]
    labels, classes = index_labels([digits.target.astype(np.int64)], None, "digits")
    return image_source("digits", classes, {"train": (MemoryInputs(images), labels[0])})


def open_torchvision(name: str) -> Source:
    """Open one of `TORCHVISION`, downloaded to ``$AUTOAUG_DATA`` (default ``~/.cache/autoaug``) if it is missing."""
    from torchvision import datasets

    if name not in TORCHVISION:
        raise UnknownName("torchvision data set", name, TORCHVISION)
    folder = cache_folder()
    parts: dict[Role, tuple[MemoryInputs, np.ndarray]] = {}
    classes: tuple[str, ...] = ()
    roles: tuple[tuple[Role, bool], ...] = (("train", True), ("test", False))
    for role, is_train in roles:
        try:
            data = getattr(datasets, name)(str(folder), train=is_train, download=True)
        except (OSError, RuntimeError) as fault:
            raise DataError(f"torchvision:{name} is not in {folder} and cannot be downloaded ({fault})") from None
        images = np.asarray(data.data)
        pixels = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
        targets = np.asarray(data.targets)
        targets = targets[:, 0] if targets.ndim == 2 else targets
        parts[role] = (MemoryInputs(np.ascontiguousarray(pixels)), targets.astype(np.int64))
        classes = tuple(str(c) for c in getattr(data, "classes", np.unique(targets)))
    return image_source(f"torchvision:{name}", classes, dict(parts))


DATA_SETS: dict[str, Callable[[], Source]] = {"digits": open_digits}
