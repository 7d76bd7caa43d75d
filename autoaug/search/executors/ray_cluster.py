"""Start a local Ray or connect to a cluster, and leave this process as it was."""

from __future__ import annotations

import importlib
import os
import secrets
import socket
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
from ray._private import auto_init_hook, ray_constants
from ray.job_config import JobConfig

from autoaug.errors import DeviceError, OptionError, WorkersLost, first_line
from autoaug.search.executors.ray_folder import ray_folder
from autoaug.utils.redaction import redacted, without_secrets
from autoaug.utils.signals import run_uninterrupted, sigterm_kept, uninterrupted

_CONNECT_SECONDS = 5.0
#: With this switch off, Ray listens on loopback only. Ray has it for systems whose firewall would prompt the user.
_BEYOND_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
#: Environment variables for Ray and its workers; the user's own values take precedence. Ray gives workers a niceness of
#: 15: beside any other work, trials would take many times what this process has timed, and time limits would end them.
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ENABLE_AUTO_CONNECT": "0",
    "RAY_worker_niceness": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "3600",
}
_PREFIXES = ("RAY_", "TUNE_", "PYTHONBREAKPOINT")
#: Whether Ray starts a cluster by itself when a call needs one.
_AUTO_CONNECT = auto_init_hook.enable_auto_connect


@contextmanager
def ray_running(workers: int, device: str, address: str | None = None) -> Iterator[None]:
    """Connect to the Ray cluster at `address`, or start a local Ray, for the duration of the block. If this process is
    already connected to Ray, that connection is used and kept. Afterwards the process is as it was before.

    Raises:
        OptionError: no cluster answers at `address`.
        WorkersLost: a local Ray does not start, as on a machine that is overloaded.
        DeviceError: `device` is a GPU and Ray sees none.
    """
    if ray.is_initialized():
        with _environment():
            _check_gpu(device)
            yield
        return
    with ray_folder() as folder, _ray_forgotten(), _environment():
        try:
            if address is None:
                _start(workers, folder / "r")  # a short name: the paths of sockets have a length limit
            else:
                _connect(address)
            _check_gpu(device)
            yield
        finally:
            run_uninterrupted(ray.shutdown)  # which takes away the handler of SIGTERM long before it returns


def _check_gpu(device: str) -> None:
    if device.startswith("cuda") and not ray.cluster_resources().get("GPU"):
        raise DeviceError(f"device {device!r} was requested, but Ray sees no GPU; use --device cpu")


def _connect(address: str) -> None:
    try:
        _check_answers(address)
        job = None if "://" in address else _job()  # the Ray client makes its own
        with sigterm_kept():
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", job_config=job)
    except (OSError, RuntimeError, ValueError) as fault:
        raise OptionError(
            f"no Ray cluster answers at {redacted(address)!r} ({without_secrets(first_line(fault), address)}); start "
            "one with: ray start --head"
        ) from None


def _check_answers(address: str) -> None:
    """Raise `OSError` if nothing listens at ``host:port``: Ray itself would retry for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition("@")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()


def _start(workers: int, folder: Path) -> None:
    """Start a local Ray that keeps its files in `folder`. Raises `WorkersLost` if it does not start."""
    try:
        _init(workers, folder)
    except Exception as fault:  # Ray raises plain ones, after half a minute
        raise WorkersLost(
            f"Ray does not start on this machine, which may be too busy ({first_line(fault)}); finished work is kept: "
            "try again, or begin a run with --executor inline, which needs no Ray"
        ) from None


@uninterrupted()
def _init(workers: int, folder: Path) -> None:
    # A private token keeps other users of the machine out, and avoids a token file in the home folder.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    _forget_authentication()
    with sigterm_kept(), _loopback():
        ray.init(
            address="local",  # not a cluster that someone else has started on this machine
            num_cpus=workers,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            job_config=_job(),
            _temp_dir=str(folder),
        )


@contextmanager
def _environment() -> Iterator[None]:
    """Set the environment variables of Ray and Tune, for this process and its children, during the block. The user's
    own values are kept.
    """
    before = {name: value for name, value in os.environ.items() if name.startswith(_PREFIXES)}
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(_PREFIXES) and name not in before]:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _ray_forgotten() -> Iterator[None]:
    """Clear what Ray has cached from the environment at the end of the block."""
    try:
        yield
    finally:
        _forget_authentication()


def _forget_authentication() -> None:
    """Make Ray read its authentication from the environment again; it caches the first value."""
    raylet: Any = importlib.import_module("ray._raylet")
    with suppress(AttributeError):  # older versions have no authentication
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _loopback() -> Iterator[None]:
    """Make a Ray that starts in the block, with all its processes, listen on loopback only."""
    before, variable = ray_constants.ENABLE_RAY_CLUSTER, os.environ.get(_BEYOND_LOOPBACK)
    ray_constants.ENABLE_RAY_CLUSTER = False  # Ray read the variable when it was imported
    os.environ[_BEYOND_LOOPBACK] = "0"
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        os.environ.pop(_BEYOND_LOOPBACK)
        if variable is not None:
            os.environ[_BEYOND_LOOPBACK] = variable


@contextmanager
def without_new_ray() -> Iterator[None]:
    """Keep calls in the block from starting a new Ray: an interrupted driver may have shut the old one down."""
    auto_init_hook.enable_auto_connect = False
    try:
        yield
    finally:
        auto_init_hook.enable_auto_connect = _AUTO_CONNECT


def _job() -> JobConfig:
    """The job that makes workers import from the driver's path. By default they search the working directory first."""
    own = tuple(sysconfig.get_paths()[kind] for kind in ("stdlib", "platstdlib", "purelib", "platlib"))
    places = [os.path.abspath(place) for place in sys.path]
    # Ray prepends the entries one by one, hence the reversed order. Only for a client job does it not add the
    # working directory.
    return JobConfig(_client_job=True, _py_driver_sys_path=[p for p in reversed(places) if not p.startswith(own)])
