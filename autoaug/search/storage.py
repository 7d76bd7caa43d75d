"""The storage of a study: an SQLite file, or a database given by its URL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage, get_storage
from optuna.study import StudyDirection
from sqlalchemy import Engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from autoaug.errors import InUse, RunError, first_line, full_disk
from autoaug.search.samplers import quiet_optuna
from autoaug.search.strategies import Strategy
from autoaug.utils.files import safe_name
from autoaug.utils.locks import held, this_process
from autoaug.utils.redaction import parse_url, redacted, without_secrets
from autoaug.utils.signals import uninterrupted

STUDY_NAME = "search"


class _Lock(NamedTuple):
    """How a connection takes a lock that ends with it: statements about `:key` and this process, `:who`."""

    prepare: str
    take: str
    owner: str


_NAMED = "MD5(CONCAT(DATABASE(), :key))"
_LOCKS = {
    # The two integers are the halves of the key.
    "postgresql": _Lock(
        prepare="SELECT set_config('application_name', :who, false)",
        take="SELECT pg_try_advisory_lock(:key)",
        owner="SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
        "AND granted AND (classid::bigint << 32) | objid::bigint = :key",
    ),
    # A server closes a connection that is silent for eight hours. The lock names the database, since all databases
    # share locks.
    "mysql": _Lock(
        prepare="SET SESSION wait_timeout = 31536000",
        take=f"SELECT GET_LOCK({_NAMED}, 0)",
        owner="SELECT CONCAT('a process on ', host) FROM information_schema.processlist "  # noqa: S608 (of constants)
        f"WHERE id = IS_USED_LOCK({_NAMED})",
    ),
}
_LOCKS["mariadb"] = _LOCKS["mysql"]
_DIRECTIONS = {"compute": StudyDirection.MINIMIZE}
# The driver behind the plain name depends on SQLAlchemy's version; the extras install these.
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}


def check_storage(url: str) -> None:
    """Raise `RunError` if the database at `url` cannot be used."""
    disconnect(_backend(_given_url(url), url))


def disconnect(storage: BaseStorage) -> None:
    """Close the connections to the database, which would stay open until the garbage is collected. A storage that is
    used again connects again.
    """
    storage.remove_session()
    if isinstance(backend := getattr(storage, "_backend", storage), RDBStorage):
        backend.engine.dispose()


def _given_url(text: str) -> URL:
    """Parse the URL that a user gave. It may hold a password, so the message never repeats it."""
    url = parse_url(text)
    if url is None:
        raise RunError(
            "--storage is not a database URL such as postgresql://HOST/NAME (in a name or password, "
            "write @ as %40, : as %3A, / as %2F, # as %23; options follow a ?)"
        )
    scheme = url.drivername.lower()
    return url.set(drivername=_DRIVERS.get(scheme, scheme))


def _file_url(path: Path) -> URL:
    """The URL of an SQLite file. Its path may contain any character, even those with a meaning in URLs."""
    return URL.create("sqlite", database=path.resolve().as_uri(), query={"uri": "true"})


def _backend(url: URL, name: str) -> BaseStorage:
    """The storage at `url`, which the user knows by `name`."""
    try:
        # Optuna takes text, and reads braces as a template.
        text = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
        # A database that was restarted is connected to again.
        storage = RDBStorage(text, engine_kwargs={"pool_pre_ping": True})
        _complete(storage)
        if storage.engine.dialect.name == "sqlite":
            _write_ahead(storage)
        return get_storage(storage)
    except ImportError as fault:
        extra = _EXTRAS.get(url.get_backend_name())
        cure = f"pip install 'autoaug[{extra}]'" if extra else "install the database's driver"
        reason = without_secrets(first_line(fault), name)
        raise RunError(f"{redacted(name)} cannot be opened: {reason}; {cure}") from None
    except Exception as fault:  # SQLAlchemy raises many types, all of which mean that it cannot be used
        raise _unusable(name, fault) from None


def _complete(storage: RDBStorage) -> None:
    """Create the indexes that are missing. SQLite and MySQL commit each table and each index by itself, so a process
    that is killed in between leaves a table without them, and Optuna never looks again; without the unique index of
    names, each session would begin a study of its own.
    """
    from optuna.storages._rdb.models import BaseModel  # of what Optuna does not export, no import should depend

    for table in BaseModel.metadata.sorted_tables:
        for index in table.indexes:
            index.create(storage.engine, checkfirst=True)


def _unusable(name: str, fault: Exception) -> RunError:
    cure = "" if "://" in name else "; restore it from a copy, or delete it to search again in this folder"
    reason = without_secrets(_reason(fault), name)
    return RunError(f"{redacted(name)} cannot be opened as a study ({reason}){cure}")


def _reason(fault: Exception) -> str:
    """What a database said. Optuna's own words guess at a cause."""
    return first_line(fault.__cause__ or fault)


@contextmanager
def answering(name: str) -> Iterator[None]:
    """Turn an error of the database `name` in the block into a `RunError`; a full disk is left to others."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as fault:
        if full_disk(fault):
            raise
        reason = without_secrets(_reason(fault), name)
        raise RunError(
            f"{redacted(name)} cannot be used any more ({reason}); finished trials are kept: see to it, and resume the "
            "run"
        ) from None


def _write_ahead(storage: RDBStorage) -> None:
    """Switch SQLite to write-ahead logging: it syncs to disk once per transaction, instead of three times with a
    rollback journal. File systems that do not support it keep the journal.
    """
    with suppress(OperationalError), storage.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


@uninterrupted()
def open_study(storage: Path | str, name: str, strategy: Strategy) -> tuple[BaseStorage, optuna.Study]:
    """Open the storage and the study `name` in it, which is created if missing. Raise `RunError` if the storage cannot
    be used.
    """
    url = _file_url(storage) if isinstance(storage, Path) else _given_url(storage)
    directions = [_DIRECTIONS.get(objective, StudyDirection.MAXIMIZE) for objective in strategy.objectives]
    backend = _backend(url, str(storage))
    try:
        with quiet_optuna():
            study = optuna.create_study(storage=backend, study_name=name, directions=directions, load_if_exists=True)
    except Exception as fault:  # as in _backend
        raise _unusable(str(storage), fault) from None
    return backend, study


@contextmanager
def alone_in_study(url: str, name: str) -> Iterator[None]:
    """Keep other drivers out of the study `name` of a database during the block: two run folders, even on two hosts,
    may name the same study. The connection (PostgreSQL, MySQL) or the process (SQLite) holds the lock, which ends with
    it. Other databases have no lock; there, only the lock of the run folder protects the study.

    Raises:
        InUse: another driver is using the study.
        RunError: the database cannot be used.
    """
    place, cure = _given_url(url), "wait until it has ended, or end it"
    if place.get_backend_name() == "sqlite":
        file = Path(place.database or "").resolve()
        with held(file.parent, cure, name=f".{file.name}-{safe_name(name)}.lock"):
            yield
        return
    if (lock := _LOCKS.get(place.get_backend_name())) is None:
        yield
        return
    storage = _backend(place, url)
    engine: Engine = cast("Any", storage)._backend.engine
    key = {"key": int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()  # closed at the end, not returned to the pool
        connection.execute(text(lock.prepare), {"who": this_process()})
        if not connection.execute(text(lock.take), key).scalar():
            owner = connection.execute(text(lock.owner), key).scalar() or "another process"
            raise InUse(f"the study {name!r} in {redacted(url)} is in use by {owner}; {cure}")
        disconnect(storage)  # but for this connection
        yield
