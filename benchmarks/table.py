"""The work of ``scripts/bench_table``, which describes it."""

from __future__ import annotations

import argparse
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from autoaug.data.splits import DataSet
from autoaug.policy.models import Policy
from autoaug.search.executors import Executor, TrialSpec, executors, run_all
from autoaug.training.inference import clean_batches, outputs_of
from autoaug.training.result import TrialResult
from autoaug.training.setting import Setting, TrainingSetting
from autoaug.training.train import train_to_end
from autoaug.utils.clock import now
from autoaug.utils.files import write_whole
from autoaug.utils.seeds import derive_seed
from benchmarks.command import names
from benchmarks.provenance import provenance
from benchmarks.small import small_copy
from benchmarks.table_policies import table_policies
from benchmarks.trained import setting_on

#: The share of the training split, and the length in full lengths.
FIDELITIES = {"quarter": (0.25, 1.0), "full": (1.0, 1.0), "double": (1.0, 2.0)}
#: How log-likelihoods are stored: in steps of a tenth, down to -12.6.
STEP, LOWEST = 0.1, 126
TRAINED_ON = 255
_WRITTEN_EVERY = 60.0


def encoded(outputs: Tensor, labels: Tensor) -> np.ndarray:
    """Logits ``[n, classes]`` as one byte per sample: whether it is right in the lowest bit, the log-likelihood of its
    class in steps of a tenth above.
    """
    likelihood = log_softmax(outputs.float(), 1).gather(1, labels[:, None])[:, 0]
    steps = (likelihood / -STEP).round().clamp(0, LOWEST).to(torch.uint8)
    codes: np.ndarray = (2 * steps + (outputs.argmax(1) == labels)).cpu().numpy()
    return codes


def decoded(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each sample is right, and the log-likelihood of its class; both NaN of one that was trained on."""
    unknown = codes == TRAINED_ON
    return np.where(unknown, np.nan, codes & 1), np.where(unknown, np.nan, -STEP * (codes >> 1))


@dataclass(frozen=True)
class Measure:
    """Train a policy and say what the model makes of all samples it was not trained on: train, validation, test."""

    policy: Policy
    data_fraction: float
    length: float

    def run(self, setting: TrainingSetting, seed: int) -> Iterator[TrialResult]:
        """Yields one result; its ``validation_predictions`` are the codes of all samples."""
        assert setting.test is not None
        started, recipe = now(), setting.recipe
        longer = recipe.model_copy(update={"epochs": round(recipe.epochs * self.length)})
        plan = replace(setting, recipe=longer).plan(self.policy, seed, self.data_fraction)
        training = train_to_end(plan)
        codes = [
            encoded(outputs_of(training.result, values, setting.device), torch.from_numpy(part.labels[rows]))
            for part in (setting.train, setting.validation, setting.test)
            for rows, values in clean_batches(part.inputs, setting.device, setting.modality)
        ]
        whole = np.concatenate(codes)
        whole[plan.taken] = TRAINED_ON
        yield TrialResult(
            started,
            now(),
            "complete",
            score=0.0,
            sample_passes=training.meter.sample_passes,
            validation_predictions=whole,
        )


def opened(data: str, scratch: Path) -> tuple[DataSet, TrainingSetting]:
    """A set as the table has it, with the setting of all trainings on it; see `small_copy`."""
    data_set, setting = setting_on(small_copy(data, scratch))
    return replace(data_set, name=Path(data).stem), setting


class TableFile:
    """The cells in a file, by ``set/policy's fingerprint/fidelity/seed``, and what belongs to them.

    Attributes:
        cells: the codes of each training, ``uint8`` over the training, validation and test samples in this order.
        about: ``sets`` (sizes, labels, seconds), ``policies`` and the records of all runs, as plain JSON values.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cells: dict[str, np.ndarray] = {}
        self.about: dict[str, dict[str, object]] = {"sets": {}, "policies": {}, "passes": {}}
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

    def write(self) -> None:
        """Write the file."""
        content = io.BytesIO()
        np.savez_compressed(
            content, allow_pickle=False, about=np.array(json.dumps({**self.about, "runs": self.runs})), **self.cells
        )
        write_whole(self.path, content.getvalue())
        self._written = time.monotonic()


def fill(
    table: TableFile,
    data: DataSet,
    setting: TrainingSetting,
    policies: Sequence[Policy],
    fidelity: str,
    seed: int,
    open_executor: Callable[[Setting], Executor],
) -> None:
    """Train those of `policies` that the table lacks, on one set at one fidelity with one seed."""
    fraction, length = FIDELITIES[fidelity]
    keys = {f"{data.name}/{policy.fingerprint()}/{fidelity}/{seed}": policy for policy in policies}
    missing = {key: policy for key, policy in keys.items() if key not in table.cells}
    if not missing:
        return
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    full_length = setting.full_length_passes()
    table.about["sets"][data.name] = {"sizes": sizes, "classes": len(data.classes), "full_length": full_length}
    common = derive_seed(seed, "bench_table")
    specs = (TrialSpec(key, Measure(policy, fraction, length), common) for key, policy in missing.items())
    with open_executor(setting) as executor:
        for done, (key, result) in enumerate(run_all(executor, specs), 1):
            if result.validation_predictions is None:
                print(f"{key} failed: {result.reason}", flush=True)
                continue
            table.add(key, result.validation_predictions, result.sample_passes)
            right, _ = decoded(result.validation_predictions[-sizes[2] :])
            score = 100 * np.nanmean(right)
            print(f"{done}/{len(missing)} {key} {missing[key].name}: {score:.1f} ({result.seconds:.0f} s)", flush=True)


def main(options: argparse.Namespace) -> None:
    """Train what is missing."""
    fidelities = names(options.fidelities, FIDELITIES, "fidelity")
    policies = list(table_policies().values())[: options.policies]
    table = TableFile(options.out)
    table.about["policies"] |= {policy.fingerprint(): policy.model_dump(mode="json") for policy in policies}
    run = provenance(vars(options))
    if run not in table.runs:
        table.runs.append(json.loads(json.dumps(run)))
    executor = "ray-tune" if options.workers > 1 else "inline"
    with tempfile.TemporaryDirectory() as scratch, executors(executor, options.workers, "cpu", None) as open_executor:
        try:
            for seed, fidelity, data in product(range(options.seeds), fidelities, options.data):
                fill(table, *opened(data, Path(scratch)), policies, fidelity, seed, open_executor)
        finally:
            table.write()
