import os
import signal
import subprocess
import sys
import threading

import pytest

from autoaug.utils.signals import run_uninterrupted, sigterm_kept, uninterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.fault("driver", "a signal during a write")
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    earlier = signal.signal(number, signal.default_int_handler)
    done = []

    @uninterrupted()
    def work() -> None:
        os.kill(os.getpid(), number)
        done.append("the rest of the block")

    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, earlier)
    assert done


def test_an_error_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), uninterrupted():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_are_left_alone() -> None:
    seen: list[object] = []

    @uninterrupted()
    def work() -> None:
        seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_a_handler_that_c_code_takes_away_is_set_again() -> None:
    """As `ray.shutdown` does. In a process of its own, which a signal would end."""
    program = """
import ctypes, os, signal, time
from autoaug.utils.signals import run_uninterrupted

def work():
    ctypes.CDLL(None).signal(signal.SIGTERM, ctypes.c_void_p(0))
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
    print("went on", flush=True)

signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    run_uninterrupted(work)
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.split("\n")[:2]) == (0, ["went on", "interrupted"])


def test_an_error_passes_through_a_thread() -> None:
    with pytest.raises(ZeroDivisionError):
        run_uninterrupted(lambda: 1 / 0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sigterm_does_after_a_library_what_it_did_before() -> None:
    earlier = signal.getsignal(signal.SIGTERM)

    def ends_it(*_: object) -> None:
        raise SystemExit(15)

    @sigterm_kept()
    def work() -> None:
        signal.signal(signal.SIGTERM, ends_it)
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.getsignal(signal.SIGTERM) is earlier


@pytest.mark.fault("driver", "a signal before a run begins")
def test_a_signal_before_a_run_begins_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from autoaug.cli import main as cli

    earlier = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    monkeypatch.setattr(sys, "argv", ["autoaug", "check", "digits"])
    monkeypatch.setattr("autoaug.pipeline.checking.open_source", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        for number, handler in earlier:
            signal.signal(number, handler)
    assert ended.value.code == 130
    assert capsys.readouterr().err == ""
