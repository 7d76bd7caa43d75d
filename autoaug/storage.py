"""Where a study is kept: an SQLite file, or a database by its URL."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.study import StudyDirection
from sqlalchemy.exc import OperationalError

from autoaug.errors import RunError
from autoaug.interruption import uninterrupted
from autoaug.strategies import Strategy

optuna.logging.set_verbosity(optuna.logging.ERROR)

STUDY_NAME = "search"
_DIRECTIONS = {"compute": StudyDirection.MINIMIZE}


def check_storage(url: str) -> None:
    """Raise `RunError` where the database at `url` cannot be used."""
    _backend(url)


def shown(url: str) -> str:
    """A database URL, or a path, without its password."""
    return re.sub(r"(?<=://)([^:/@]*):[^@]*@", r"\1:***@", url)


def _backend(url: str) -> BaseStorage:
    # Which driver the plain name stands for depends on SQLAlchemy's version; the extra brings this one.
    url = re.sub("^postgres(ql)?://", "postgresql+psycopg://", url)
    try:
        storage = RDBStorage(url)
        if storage.engine.dialect.name == "sqlite":
            _write_ahead(storage)
        return get_storage(storage)
    except ImportError as fault:
        cure = "pip install 'autoaug[postgres]'" if url.startswith("postgres") else "install the database's driver"
        raise RunError(f"{shown(url)} cannot be opened: {str(fault).strip().splitlines()[0]}; {cure}") from None
    except Exception as fault:  # SQLAlchemy's many kinds, all of which mean that it cannot be used
        reason = str(fault).strip().splitlines()[0]
        raise RunError(f"{shown(url)} cannot be opened as a study ({shown(reason)})") from None


def _write_ahead(storage: RDBStorage) -> None:
    """Have SQLite write a log ahead of its file: it waits for the disk once a transaction, a rollback journal thrice.
    File systems on which that cannot be keep the journal.
    """
    with suppress(OperationalError), storage.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


@uninterrupted()
def open_study(storage: Path | str, name: str, strategy: Strategy) -> tuple[BaseStorage, optuna.Study]:
    """The storage and the study called `name` in it, made where it is missing; raises `RunError` where it cannot be
    used.
    """
    url = f"sqlite:///{storage.resolve()}" if isinstance(storage, Path) else storage
    directions = [_DIRECTIONS.get(objective, StudyDirection.MAXIMIZE) for objective in strategy.objectives]
    backend = _backend(url)
    try:
        return backend, optuna.create_study(
            storage=backend, study_name=name, directions=directions, load_if_exists=True
        )
    except Exception as fault:  # likewise
        reason = str(fault).strip().splitlines()[0]
        raise RunError(f"{shown(str(storage))} cannot be opened as a study ({shown(reason)})") from None
