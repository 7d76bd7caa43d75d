"""The work of ``scripts/bench_table``, which describes it."""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from autoaug.data.splits import DataSet
from autoaug.errors import first_line
from autoaug.policy.models import Policy
from autoaug.training.inference import clean_batches, infer
from autoaug.training.result import TrialResult
from autoaug.training.setting import TrainingSetting
from autoaug.training.train import train_to_end
from autoaug.utils.clock import now
from autoaug.utils.seeds import derive_seed
from benchmarks import table_page
from benchmarks.command import names
from benchmarks.page import write_page
from benchmarks.provenance import provenance
from benchmarks.small import small_copy
from benchmarks.table_file import TRAINED_ON, TableFile, decoded, encoded
from benchmarks.table_policies import table_policies
from benchmarks.trained import setting_on

#: The share of the training split, and the length in full lengths.
FIDELITIES = {"quarter": (0.25, 1.0), "full": (1.0, 1.0), "double": (1.0, 2.0)}


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
            encoded(infer(training.result, values, setting.device), torch.from_numpy(part.labels[rows]))
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


@cache
def opened(data: str, device: str) -> tuple[DataSet, TrainingSetting]:
    """A set as the table has it, with the setting of all trainings on it; see `small_copy`."""
    with tempfile.TemporaryDirectory() as scratch:
        data_set, setting = setting_on(small_copy(data, Path(scratch)), device)
    return replace(data_set, name=Path(data).stem), setting


class Cell(NamedTuple):
    """One training of the table."""

    data: str
    policy: Policy
    fidelity: str
    seed: int

    @property
    def key(self) -> str:
        return f"{Path(self.data).stem}/{self.policy.fingerprint()}/{self.fidelity}/{self.seed}"


def trained(cell: Cell, device: str) -> tuple[Cell, TrialResult | str]:
    """A cell with the result of its training, see `Measure`, or with the reason why it failed."""
    try:
        _, setting = opened(cell.data, device)
        work = Measure(cell.policy, *FIDELITIES[cell.fidelity])
        with setting.computing():
            *_, result = work.run(setting, derive_seed(cell.seed, "bench_table"))
    except (RuntimeError, ValueError) as error:
        return cell, first_line(error)
    return cell, result


def fill(table: TableFile, cells: Sequence[Cell], device: str, workers: int, until: float) -> None:
    """Train those of `cells` that the table lacks, in processes of their own, `until` a time of `time.monotonic`."""
    for data in dict.fromkeys(cell.data for cell in cells):
        describe(table, data, device)
    missing = [cell for cell in cells if cell.key not in table.cells]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        results = pool.imap_unordered(partial(trained, device=device), missing)
        for done in range(1, len(missing) + 1):
            try:
                cell, result = results.next(None if math.isinf(until) else max(0.0, until - time.monotonic()))
            except multiprocessing.TimeoutError:
                return
            print(f"{done}/{len(missing)} {cell.key} {cell.policy.name}: {keep(table, cell, result)}", flush=True)


def describe(table: TableFile, data: str, device: str) -> None:
    """Note what must be known of a set to read its cells."""
    data_set, setting = opened(data, device)
    parts = [data_set.train, data_set.validation, data_set.test]
    table.about["sets"][data_set.name] = {
        "sizes": [len(part) for part in parts],
        "classes": len(data_set.classes),
        "full_length": setting.full_length_passes(),
        "labels": np.concatenate([part.labels for part in parts]).tolist(),
    }


def keep(table: TableFile, cell: Cell, result: TrialResult | str) -> str:
    """Add a training to the table; return its test score, or why it failed, in words."""
    if isinstance(result, str) or result.validation_predictions is None:
        return f"failed: {result if isinstance(result, str) else result.reason}"
    table.add(cell.key, result.validation_predictions, result.sample_passes)
    tested = table.about["sets"][Path(cell.data).stem]["sizes"][2]
    right, _ = decoded(result.validation_predictions[-tested:])
    return f"{100 * np.nanmean(right):.1f} ({result.seconds:.0f} s)"


def main(options: argparse.Namespace) -> None:
    """Train what is missing."""
    until = time.monotonic() + 60 * options.minutes
    fidelities = names(options.fidelities, FIDELITIES, "fidelity")
    policies = list(table_policies().values())[: options.policies]
    table = TableFile(options.out)
    for path in options.merge:
        table.merge(TableFile(path))
    if options.data:
        table.about["policies"] |= {policy.fingerprint(): policy.model_dump(mode="json") for policy in policies}
        table.runs.append(json.loads(json.dumps(provenance(vars(options)), default=str)))
    orders = product(range(options.seeds), fidelities, options.data, policies)
    cells = [Cell(data, policy, fidelity, seed) for seed, fidelity, data, policy in orders]
    try:
        fill(table, cells, options.device, options.workers, until)
    finally:
        table.write()
        words = "Policies on sets at 32 pixels; one training per policy and seed, with ResNet-9 at its default length."
        write_page(options.out.with_suffix(".html"), "A table of policies", words, table_page.sections(table))
