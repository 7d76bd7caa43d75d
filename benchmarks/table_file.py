"""The file of the table: its cells, sample by sample, and what belongs to them."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from autoaug.utils.files import write_atomically

#: How log-likelihoods are stored: in steps of a tenth, down to -12.6.
STEP, LOWEST = 0.1, 126
TRAINED_ON = 255
_WRITTEN_EVERY = 60.0


def encoded(outputs: Tensor, labels: Tensor) -> np.ndarray:
    """Logits ``[n, classes]`` as one byte per sample: whether it is right in the lowest bit, the log-likelihood of its
    class in steps of a tenth above.
    """
    labels = labels.to(outputs.device)
    likelihood = log_softmax(outputs.float(), 1).gather(1, labels[:, None])[:, 0]
    steps = (likelihood / -STEP).round().clamp(0, LOWEST).to(torch.uint8)
    codes: np.ndarray = (2 * steps + (outputs.argmax(1) == labels)).cpu().numpy()
    return codes


def decoded(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each sample is right, and the log-likelihood of its class; both NaN of one that was trained on."""
    unknown = codes == TRAINED_ON
    return np.where(unknown, np.nan, codes & 1), np.where(unknown, np.nan, -STEP * (codes >> 1))


class TableFile:
    """The cells in a file, by ``set/policy's fingerprint/fidelity/seed``, and what belongs to them.

    Attributes:
        cells: the codes of each training, ``uint8`` over the training, validation and test samples in this order.
        about: ``sets`` (sizes, labels, seconds), ``policies`` and the records of all runs, as plain JSON values.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cells: dict[str, np.ndarray] = {}
        self.about: dict[str, dict[str, Any]] = {"sets": {}, "policies": {}, "passes": {}}
        self.runs: list[object] = []
        if path.is_file():
            with np.load(path, allow_pickle=False) as file:
                self.cells = {name: file[name] for name in file.files if name != "about"}
                about = json.loads(str(file["about"]))
            self.runs = about.pop("runs")
            self.about = about
        self._written = time.monotonic()

    def add(self, key: str, codes: np.ndarray, sample_passes: int) -> None:
        """Keep a training and what it cost; the file is written once a minute."""
        self.cells[key] = codes
        self.about["passes"][key] = sample_passes
        if time.monotonic() - self._written > _WRITTEN_EVERY:
            self.write()

    def merge(self, other: TableFile) -> None:
        """Take the cells that this table lacks from another one."""
        self.cells = other.cells | self.cells
        self.about = {name: other.about[name] | own for name, own in self.about.items()}
        self.runs += [run for run in other.runs if run not in self.runs]

    def accuracies(self, data: str, fidelity: str, first: int = 0) -> dict[str, float]:
        """The accuracy of each policy with cells on a set, by fingerprint: the mean over its seeds, on the samples from
        number `first` on that were not trained on.
        """
        scores: dict[str, list[float]] = {}
        for key, codes in self.cells.items():
            name, fingerprint, kind, _ = key.split("/")
            if (name, kind) == (data, fidelity):
                right, _ = decoded(codes[first:])
                scores.setdefault(fingerprint, []).append(float(np.nanmean(right)))
        return {fingerprint: float(np.mean(values)) for fingerprint, values in scores.items()}

    def write(self) -> None:
        """Write the file."""
        content = io.BytesIO()
        np.savez_compressed(
            content, allow_pickle=False, about=np.array(json.dumps({**self.about, "runs": self.runs})), **self.cells
        )
        write_atomically(self.path, content.getvalue())
        self._written = time.monotonic()
