"""One small uninterrupted search, for all tests of this folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import autoaug
from autoaug.results import SearchResult
from autoaug.runs.folder import RunFolder
from autoaug.training.trial import Train
from tests.conftest import write_npz
from tests.faults.life import SEARCH


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "bars.npz")


@pytest.fixture(scope="session")
def whole(data: Path) -> SearchResult:
    """A search that nothing interrupted."""
    return autoaug.search(data, out=data.parent / "whole", **SEARCH)


@pytest.fixture
def run(whole: SearchResult, tmp_path: Path) -> RunFolder:
    """A copy of it."""
    return RunFolder(shutil.copytree(whole.run_dir, tmp_path / "run"))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The policies that are trained from here on."""
    keys: list[str] = []
    real = Train.run

    def noting(self: Train, task: Any, seed: int) -> Any:
        keys.append(f"{self.policy.fingerprint()} {seed}")
        return real(self, task, seed)

    monkeypatch.setattr(Train, "run", noting)
    return keys
