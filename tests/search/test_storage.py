"""A study in PostgreSQL or MySQL is the same as one in SQLite, and optuna-dashboard opens any of them."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest
from optuna.storages import RDBStorage, get_storage
from sqlalchemy import Engine, event

import autoaug
from autoaug.cli.main import _command
from autoaug.errors import InUse, RunError
from autoaug.pipeline.options import SearchOptions
from autoaug.pipeline.session import call_of
from autoaug.results import SearchResult, TrialSummary
from autoaug.runs.callbacks import Logged
from autoaug.runs.folder import RunFolder
from autoaug.search.storage import alone_in_study, check_storage, disconnect, open_study
from autoaug.search.strategies import get_strategy
from autoaug.utils.redaction import redacted
from tests.conftest import without_report, write_npz
from tests.faults.life import Killed

OPTIONS = {"space": "light", "strategy": "tpe", "trials": 6, "epochs": 1, "seeds": 2, "workers": 1}
SERVERS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Server(NamedTuple):
    """A database server of our own: the URL of its database, and ``control("restart")`` and the like."""

    url: str
    control: Callable[[str], None]


@pytest.fixture(scope="module")
def postgres(server: Server) -> str:
    """The URL of its database."""
    return server.url


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """PostgreSQL on loopback, with an empty database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        pytest.skip("PostgreSQL is not installed")
    # As root it does not run; and its user cannot read pytest's folders.
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    home = Path(subprocess.check_output([*as_user, "mktemp", "-d"], text=True, cwd="/").strip())
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(programs[-1] / program), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("initdb", "-D", str(home / "data"), "-U", "tester", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"

    def control(action: str) -> None:
        run("pg_ctl", "-D", str(home / "data"), "-w", "-t", "600", "-m", "immediate", "-o", options, action)

    control("start")
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "tester", "studies")
        yield Server(f"postgresql://tester:secret@127.0.0.1:{port}/studies", control)
    finally:
        control("stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def mysql() -> Iterator[str]:
    """The URL of an empty database of MariaDB, on loopback."""
    server, install = shutil.which("mariadbd", path=SERVERS), shutil.which("mariadb-install-db", path=SERVERS)
    if server is None or install is None:
        pytest.skip("MariaDB is not installed")
    # As root it refuses to run; and its user cannot read pytest's folders.
    user = "mysql" if os.getuid() == 0 else getpass.getuser()
    home = Path(tempfile.mkdtemp(dir="/tmp"))
    shutil.chown(home, user)
    data = [f"--datadir={home}/data", f"--user={user}"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([install, "--no-defaults", *data, "--auth-root-authentication-method=normal"], check=True, **quiet)
    statements = home / "init.sql"
    statements.write_text(
        "CREATE DATABASE studies;\nCREATE USER tester@'%' IDENTIFIED BY 'secret';\n"
        "GRANT ALL ON studies.* TO tester@'%';\nDROP USER IF EXISTS ''@'localhost';\n"
    )
    statements.chmod(0o644)
    port = free_port()
    options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={home}/socket", f"--init-file={statements}"]
    process = subprocess.Popen([server, "--no-defaults", *data, *options, f"--pid-file={home}/pid"], **quiet)
    url = f"mysql://tester:secret@127.0.0.1:{port}/studies"
    try:
        for attempt in range(600):
            assert process.poll() is None, "the server has ended"
            with suppress(RunError) if attempt < 599 else nullcontext():
                check_storage(url)
                break
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def outcome(result: SearchResult) -> list[object]:
    return [(t.number, t.name, t.status, t.score, t.curve, t.fingerprint) for t in result.history]


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("postgres", marks=pytest.mark.fault("storage", "PostgreSQL as the storage")),
        pytest.param("mysql", marks=pytest.mark.fault("storage", "MySQL as the storage")),
    ],
)
def test_a_database_gives_the_same_result_and_its_password_is_shown_nowhere(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue(kind)
    data = write_npz(tmp_path / "bars.npz")
    with without_report():
        plain = autoaug.search(data, out=tmp_path / "plain", **OPTIONS)
        two = autoaug.search(data, out=tmp_path / "two", storage=url, **OPTIONS)
    one = autoaug.search(data, out=tmp_path / "one", storage=url, **OPTIONS)
    for stored in (one, two):  # two runs in one database are two studies
        assert outcome(stored) == outcome(plain)
        assert stored.returned == plain.returned
    folder = RunFolder(tmp_path / "one")
    assert not folder.study.exists()
    assert folder.config.stat().st_mode & 0o077 == 0
    assert "secret" not in folder.report.read_text()
    (tmp_path / "one" / "result.json").unlink()
    assert outcome(autoaug.resume(tmp_path / "one")) == outcome(plain)


class At(Logged):
    """Does something when the trial of a number has ended."""

    def __init__(self, number: int, act: Callable[[], object]) -> None:
        self._number, self._act = number, act

    def trial_ended(self, trial: TrialSummary, *_: object) -> None:  # type: ignore[override]
        if trial.number == self._number:
            self._act()


@pytest.mark.slow
@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("storage", "PostgreSQL restarted in mid-search, and stopped")
def test_a_search_outlives_its_database(server: Server, tmp_path: Path) -> None:
    """Restarted, it is connected to again; stopped, it ends the search with one line, and resume goes on."""
    data, out = write_npz(tmp_path / "bars.npz"), tmp_path / "stopped"
    plain = autoaug.search(data, out=tmp_path / "plain", **OPTIONS)
    restarted = autoaug.search(
        data,
        out=tmp_path / "restarted",
        storage=server.url,
        progress=At(2, lambda: server.control("restart")),
        **OPTIONS,
    )
    assert outcome(restarted) == outcome(plain)
    try:
        stop = At(2, lambda: server.control("stop"))
        with pytest.raises(RunError, match=r"\*\*\*@127.*finished trials are kept.*resume") as fault:
            autoaug.search(data, out=out, storage=server.url, progress=stop, **OPTIONS)
        assert "secret" not in str(fault.value)
        assert len(str(fault.value).splitlines()) == 1
        with pytest.raises(RunError, match="cannot be opened"):
            autoaug.resume(out)
    finally:
        server.control("start")
    assert outcome(autoaug.resume(out)) == outcome(plain)


@pytest.mark.usefixtures("no_report")
@pytest.mark.fault("storage", "SQLite damaged in mid-search, and after it")
def test_a_study_that_is_damaged_is_one_line(tmp_path: Path) -> None:
    data, out = write_npz(tmp_path / "bars.npz"), tmp_path / "run"

    def damage() -> None:
        for name in ("study.db", "study.db-wal"):
            (out / name).write_bytes(b"\xff" * 5000)

    with pytest.raises(RunError, match=r"study\.db cannot be used any more .*resume") as fault:
        autoaug.search(data, out=out, progress=At(1, damage), **OPTIONS)
    assert len(str(fault.value).splitlines()) == 1
    with pytest.raises(RunError, match=r"study\.db cannot be opened") as fault:
        autoaug.resume(out)
    assert len(str(fault.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        ("sqlite", "process {} on host"),
        ("postgres", "process {} on host"),
        pytest.param("mysql", "a process on localhost", marks=pytest.mark.slow),
    ],
)
@pytest.mark.fault("driver", "two drivers of one study")
def test_a_study_in_a_database_has_one_driver(
    kind: str, owner: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Whichever run folder, on whichever host, names it; another study of the same database is free."""
    url = f"sqlite:///{tmp_path}/shared.db" if kind == "sqlite" else request.getfixturevalue(kind)
    with alone_in_study(url, "mine"):
        with pytest.raises(InUse, match=owner.format(os.getpid())), alone_in_study(url, "mine"):
            pass
        with alone_in_study(url, "other"):
            pass
    with alone_in_study(url, "mine"):
        pass
    assert {path.name for path in tmp_path.iterdir()} <= {"shared.db", "shared.db-wal", "shared.db-shm"}


@pytest.mark.fault("storage", "a database that does not answer")
def test_a_database_that_does_not_answer_is_one_line_without_the_password(tmp_path: Path) -> None:
    data = write_npz(tmp_path / "bars.npz")
    with pytest.raises(RunError, match=r"://me:\*\*\*@127.0.0.1:1/x cannot be opened") as fault:
        autoaug.search(data, out=tmp_path / "run", storage="postgresql://me:secret@127.0.0.1:1/x", **OPTIONS)
    assert "secret" not in str(fault.value)
    assert "\n" not in str(fault.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("url", ["nonsense", "foo://bar", "mysql+nodriver://x/y"])
def test_what_is_no_database_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot be opened|is not a database URL"):
        autoaug.search(write_npz(tmp_path / "bars.npz"), out=tmp_path / "run", storage=url, **OPTIONS)


def test_shown_leaves_paths_and_plain_urls_alone() -> None:
    assert redacted("/runs/a:b@c/study.db") == "/runs/a:b@c/study.db"
    assert redacted("mysql://u:p%40w@h/d") == "mysql://u:***@h/d"
    assert redacted("postgresql://h/d") == "postgresql://h/d"


@pytest.mark.slow
def test_a_study_stays_in_its_own_folder_whatever_the_folder_is_called(tmp_path: Path) -> None:
    strategy = get_strategy("tpe")
    names = ["a?b", "a?c", "100%", "%41", "A", "a#b", "a b", "q'\"", "ü{b}", "a@b:c&d=e", os.fsdecode(b"b\xff")]
    for name in names:
        (tmp_path / name / "control").mkdir(parents=True)
        for folder in (tmp_path / name, tmp_path / name / "control"):
            _, study = open_study(folder / "study.db", "search", strategy)
            assert "name" not in study.user_attrs, "another's database"
            study.set_user_attr("name", repr(name))
            assert {path.name for path in folder.iterdir()} - {"control"} <= {
                "study.db",
                "study.db-wal",
                "study.db-shm",
            }
            assert (folder / "study.db").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def _opened(study: Path, kill_before: int | None = None) -> int:
    """Open a study; end before the write of a number, as kill -9 would. Return how many writes it took."""
    count = 0

    def counting(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal count
        if not statement.lstrip().startswith(("CREATE", "INSERT")):
            return
        if count == kill_before:
            raise Killed
        count += 1

    event.listen(Engine, "before_cursor_execute", counting)
    try:
        with suppress(Killed):
            disconnect(open_study(study, "search", get_strategy("tpe"))[0])
    finally:
        event.remove(Engine, "before_cursor_execute", counting)
    return count


def _schema(study: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(study)) as database:
        return set(database.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL"))


@pytest.mark.fault("driver", "killed -9 while it creates its database")
def test_a_database_that_was_half_created_is_completed(tmp_path: Path) -> None:
    writes = _opened(tmp_path / "whole.db")
    assert writes > len(_schema(tmp_path / "whole.db")) > 10
    for number in range(writes):
        study = tmp_path / f"{number}.db"
        for kill_before in (number, None, None):
            _opened(study, kill_before)
        assert _schema(study) == _schema(tmp_path / "whole.db"), number
        with closing(sqlite3.connect(study)) as database:
            assert database.execute("SELECT study_name FROM studies").fetchall() == [("search",)], number


def test_a_url_of_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    check_storage(f"SQLite:///{tmp_path}/a{{b}}@c#d.db")
    assert [path.name for path in tmp_path.glob("*.db")] == ["a{b}@c#d.db"]


@pytest.mark.parametrize("quote", ["'", '"', "@", " ", "%27"])
@pytest.mark.fault("security", "passwords of a database")
def test_a_password_is_written_and_said_nowhere(
    quote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable[..., str]
) -> None:
    url = f"postgresql://me:s3cret{quote}s3cret@127.0.0.1:1/x?sslpassword=s3cret"
    said = refused("search", str(write_npz(tmp_path / "bars.npz")), "--storage", url, folder=tmp_path)
    assert "s3cret" not in said
    assert re.search("cannot be opened|is not a database URL", said)
    monkeypatch.setattr(sys, "argv", ["autoaug", "search", "x", "--storage", url, f"--storage={url}"])
    for command in (_command(), call_of(SearchOptions("x", storage=url))):
        assert "s3cret" not in command
        assert "postgresql://" in command


@pytest.mark.usefixtures("no_report")
def test_a_run_with_a_database_is_its_users_alone_and_trackers_learn_no_password(tmp_path: Path) -> None:
    data, url = write_npz(tmp_path / "bars.npz"), f"sqlite:///{tmp_path}/study.db?timeout=83"
    run = autoaug.search(data, out=tmp_path / "run", storage=url, track=["tensorboard"], **OPTIONS).run_dir
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert stat.S_IMODE((run / "config.yaml").stat().st_mode) == 0o600
    with_it = [path.name for path in run.rglob("*") if path.is_file() and b"timeout=83" in path.read_bytes()]
    assert with_it == ["config.yaml"]
    with pytest.raises(RunError, match=r"storage .*timeout=\*\*\* \(wanted: None\)"):
        autoaug.search(data, out=tmp_path / "run", **OPTIONS)


@pytest.mark.usefixtures("no_report")
@pytest.mark.slow
def test_optuna_dashboard_opens_a_run_as_it_is(tmp_path: Path) -> None:
    from optuna_dashboard import wsgi

    result = autoaug.search(write_npz(tmp_path / "bars.npz"), out=tmp_path / "run", **OPTIONS)
    page = wsgi(get_storage(f"sqlite:///{tmp_path}/run/study.db"))

    def get(path: str) -> dict[str, object]:
        environment: dict[str, object] = {"PATH_INFO": path}
        setup_testing_defaults(environment)
        status: list[str] = []
        body = b"".join(page(environment, lambda s, *_: status.append(s)))
        assert status == ["200 OK"]
        content: dict[str, object] = json.loads(body)
        return content

    studies = get("/api/studies")["study_summaries"]
    assert isinstance(studies, list)
    assert [study["study_name"] for study in studies] == ["search"]
    trials = get(f"/api/studies/{studies[0]['study_id']}")["trials"]
    assert isinstance(trials, list)
    assert [t["state"] for t in trials] == [t.status.capitalize().replace("Failed", "Fail") for t in result.history]
    assert [t["values"][0] for t in trials if t["state"] == "Complete"] == [
        t.score for t in result.history if t.score is not None
    ]


@pytest.mark.fault("storage", "SQLite without write-ahead logging")
def test_sqlite_writes_ahead_where_it_can_and_is_used_where_it_cannot(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/study.db"
    RDBStorage(url).remove_session()

    def mode() -> str:
        with sqlite3.connect(tmp_path / "study.db") as connection:
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

    reader = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM studies").fetchall()  # the journal cannot be changed while this reads
    check_storage(f"{url}?timeout=0.2")  # the usual one is 5 seconds
    assert mode() == "delete"
    reader.close()
    check_storage(url)
    assert mode() == "wal"
