"""Secrets stay secret, and temporary files are removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from autoaug.data.spill import SpillFolder
from autoaug.errors import OptionError
from autoaug.search.executors import resolve_executor
from autoaug.search.executors.ray_folder import ray_folder
from autoaug.utils.redaction import redacted, without_secrets

SECRET = "s3cr3t"
URLS = [
    f'postgresql://me:{SECRET}"x@host/d',
    f'postgresql://me:"{SECRET}"@host/d',
    f"postgresql://{SECRET}:@host/d",
    f"postgresql://host/d;password={SECRET}",
    f"postgresql://host/d&user=me&password={SECRET}",
    f"postgresql://me:{SECRET}@host/d",
    f"POSTGRESQL+psycopg://me:{SECRET}@host/d",
    f"postgresql://me:{SECRET}'x@host/d",
    f"postgresql://me:{SECRET}@x@host/d",
    f"postgresql://me:x@{SECRET}@host/d",
    f"postgresql://me:{SECRET}%40x@host/d",
    f"postgresql://me:{SECRET}/x@host/d",
    f"postgresql://me/x:{SECRET}@host/d",
    f"postgresql://me:{SECRET}/d",
    f"postgresql://host/d?user=me&password={SECRET}",
    f"postgresql://host/d?passfile={SECRET}&sslpassword={SECRET}",
    f"postgresql://host/d?password={SECRET}&password={SECRET}2",
    f"postgresql://host/d#{SECRET}",
    f"mssql+pyodbc:///?odbc_connect={SECRET}",
    f"ray://{SECRET}@host:10001",
    f"ray://host:10001?token={SECRET}",
    f"https://me:{SECRET}@host/path?key={SECRET}#{SECRET}",
]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.fault("security", "secrets in URLs")
def test_no_spelling_of_a_url_shows_its_secret(url: str) -> None:
    scheme = url.partition("://")[0]
    assert SECRET not in redacted(url)
    assert redacted(url).startswith(f"{scheme}://")
    assert SECRET not in redacted(f"--storage={url}")
    with suppress(ArgumentError, ValueError):
        secret = make_url(url).password or SECRET
        assert SECRET not in without_secrets(f"cannot reach {url!r}: password {secret!r} ({secret}) is wrong", url)
    assert SECRET not in without_secrets(f"cannot reach {url}: refused")


@pytest.mark.parametrize(
    "plain", ["127.0.0.1:6379", "/runs/a:b@c", "sqlite:////runs/a@b#c.db", "postgresql://h/d", "--x=1"]
)
def test_what_has_no_secret_is_shown_as_it_is(plain: str) -> None:
    assert redacted(plain) == plain


def test_a_short_value_is_hidden_where_it_stands_alone_and_no_part_of_other_words() -> None:
    said = 'connection to "127.0.0.1", port 5431, timed out after 1 s; password "p" of p'
    hidden = 'connection to "127.0.0.1", port 5431, timed out after *** s; password "***" of ***'
    assert without_secrets(said, "postgresql://me:p@127.0.0.1:5431/d?connect_timeout=1") == hidden


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.fault("security", "temporary folders")
def test_a_private_folder_is_gone_in_the_end_and_so_is_what_killed_processes_left(place: Path) -> None:
    left, held, others = (place / name for name in ("autoaug-tune-abcdefgh", "autoaug-tune-12345678", "autoaug-tune-x"))
    for folder in (left, held, others):
        (folder / "r").mkdir(parents=True)
    holder = os.open(held, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)  # as a process that is alive would
    with ray_folder() as folder:
        assert folder.parent == place
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "file").write_text("")
        assert not left.exists()
        with ray_folder() as second:
            assert second != folder
            assert folder.exists(), "that of a process which is alive is not taken for left"
    os.close(holder)
    assert sorted(place.iterdir()) == sorted([held, others])
    new, old = place / ".autoaug-tune-aaaaaaaa", place / ".autoaug-tune-bbbbbbbb"  # not locked yet, or killed then
    for folder in (new, old):
        folder.mkdir()
    os.utime(old, (0, 0))
    with ray_folder():
        assert not held.exists()
        assert new.exists()
        assert not old.exists()


def test_what_is_spilled_to_disk_goes_away_too(place: Path) -> None:
    left = place / "autoaug-spill-abcdefgh"
    left.mkdir()
    spill = SpillFolder()
    assert not left.exists()
    for folder in (spill.path, spill.path.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert SpillFolder().path != spill.path
    ends = f"import tempfile; tempfile.tempdir = {str(place)!r}; from autoaug.data.spill import SpillFolder as New"
    subprocess.run([sys.executable, "-c", f"{ends}; kept = New()"], check=True)
    assert list(place.iterdir()) == [spill.path.parent], "that of the process which has ended is gone"


@pytest.mark.fault("storage", "long temporary paths")
def test_a_temporary_folder_whose_path_is_too_long_for_sockets_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with ray_folder() as folder:
        assert folder.parent == Path("/tmp")
    monkeypatch.setattr(os, "access", lambda place, _: str(place) != "/tmp")
    with pytest.raises(OptionError, match=f"at most .* bytes; neither {long} nor /tmp.*set TMPDIR"):
        resolve_executor("ray-tune", 2, None, "cpu")


_TRAININGS = """
from autoaug.policy.loading import load_policy
from autoaug.search.executors import TrialSpec, executors, run_all
from autoaug.training.trial import Train
from tests.tasks import small_task

with executors("ray-tune", 1, "cpu", None) as open_executor, open_executor(small_task(epochs=1)) as executor:
    for _, result in run_all(executor, [TrialSpec(str(seed), Train(load_policy("none")), seed) for seed in range(2)]):
        print(result.status)
"""


@pytest.mark.slow
@pytest.mark.fault("storage", "a small /dev/shm")
def test_ray_works_where_shared_memory_is_small(tmp_path: Path) -> None:
    """As in a container, which has 64 MB by default: Ray's object store asks for gigabytes."""
    unshare = shutil.which("unshare")
    small = "mount -t tmpfs -o size=16m tmpfs /dev/shm"
    if unshare is None or subprocess.call([unshare, "-m", "sh", "-c", small]):
        pytest.skip("no file system can be mounted here")
    (tmp_path / "trainings.py").write_text(_TRAININGS)
    command = f"{small} && exec {sys.executable} {tmp_path / 'trainings.py'}"
    search_path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    options = {"check": True, "timeout": 600, "capture_output": True, "text": True, "env": search_path}
    assert subprocess.run([unshare, "-m", "sh", "-c", command], **options).stdout.split() == ["complete"] * 2
