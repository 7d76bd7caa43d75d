"""A policy is not judged by samples that it was chosen on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import autoaug
from autoaug.api import robustness
from autoaug.data.splits import DataSet
from autoaug.errors import DataError
from autoaug.pipeline.configure import prepare
from autoaug.pipeline.options import CompareOptions
from autoaug.policy.loading import load_policy
from tests.conftest import bars


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison on 120 samples, of which 30 are the test split."""
    folder = tmp_path_factory.mktemp("overlap")
    data = write(folder / "bars.npz", *bars(120))
    policies = ["trivialaugment", "flip-crop"]
    return autoaug.compare(data, policies, epochs=1, seeds=2, max_seeds=2, workers=1, out=folder / "run").run_dir


def write(path: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    np.savez(path, x_train=images, y_train=labels)
    return path


def compared(data: Path, policy: object, **options: object) -> DataSet:
    _, prepared, _ = prepare(CompareOptions(data, policies=[policy, "none"], out=data.parent / "compared", **options))
    return prepared


def test_another_seed_judges_it_by_the_same_test_split(run: Path) -> None:
    data = run.parent / "bars.npz"
    first, other = (compared(data, run / "policy.yaml", seed=seed) for seed in (0, 1))
    assert np.array_equal(first.digests["test"], other.digests["test"])
    assert not np.array_equal(first.digests["validation"], other.digests["validation"])


def test_a_test_split_that_overlaps_with_what_it_was_chosen_on_is_refused(run: Path) -> None:
    """The data have grown since, and another test split is drawn from them."""
    images, labels = (np.concatenate(pair) for pair in zip(bars(30, seed=9), bars(120), strict=True))
    grown = write(run.parent / "grown.npz", images, labels)
    for given in (run / "policy.yaml", run, f"{run / 'policy.yaml'}+autoaugment-svhn"):
        with pytest.raises(
            DataError,
            match=r"its file lists 90 of the samples .*, and the test split has \d+ of these; .*--allow overlap",
        ):
            compared(grown, given)
    compared(grown, run, allow=("overlap",))
    compared(write(run.parent / "others.npz", *bars(120, seed=7)), run)


def test_a_policy_that_does_not_say_is_refused_on_its_own_data(run: Path) -> None:
    policy = load_policy(run)
    assert policy.provenance is not None
    older = policy.model_copy(update={"provenance": policy.provenance.model_copy(update={"chosen_on": ""})})
    with pytest.raises(DataError, match=r"of an older version, whose test split depended on --seed.*--allow overlap"):
        compared(run.parent / "bars.npz", older)
    compared(write(run.parent / "others.npz", *bars(120, seed=7)), older)


def test_a_model_is_measured_on_the_test_split_alone(run: Path) -> None:
    assert robustness(run.parent / "bars.npz", run, steps=1).inputs == 30
