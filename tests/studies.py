"""Studies that stay in memory, for tests of what is proposed and not of how it is stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import optuna
from optuna.storages import BaseStorage, InMemoryStorage

from autoaug.search import study
from autoaug.search.samplers import quiet_optuna
from autoaug.search.strategies import Strategy


def _open_in_memory(storage: Path | str, name: str, strategy: Strategy) -> tuple[BaseStorage, optuna.Study]:
    """In the place of `open_study`."""
    directions = ["minimize" if objective == "compute" else "maximize" for objective in strategy.objectives]
    backend = InMemoryStorage()
    with quiet_optuna():
        return backend, optuna.create_study(storage=backend, study_name=name, directions=directions)


@contextmanager
def kept_in_memory() -> Iterator[None]:
    """Studies that begin in the block need no database, in which each trial takes a tenth of a second."""
    with patch.object(study, "open_study", _open_in_memory):
        yield
