"""Show a running run: its report on loopback, and its events on the terminal. The run itself is not affected."""

from __future__ import annotations

import contextlib
import threading
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rich.console import Console

from autoaug.errors import AutoaugError, OptionError, printable
from autoaug.report.page import report_page
from autoaug.results import MetricRecord, TrialSummary
from autoaug.runs.callbacks.event_log import metric_of, read_events
from autoaug.runs.folder import RunFolder
from autoaug.utils.terminal import say

_LOOPBACK = "127.0.0.1"


def watch_run(run: Path, port: int, every: float, console: Console, open_it: bool) -> None:
    """Serve the report of `run` at `port` of this machine (0 for any free port), until the run is finished or Ctrl-C.

    Raises:
        RunError: there is no such run.
        OptionError: the port cannot be used, or `every` is out of range.
    """
    if not 0.1 <= every <= 86400:
        raise OptionError(f"--every {every:g} must be between 0.1 and 86400 seconds")
    folder, _ = RunFolder.open(run, goes_on=False)
    with _serving(folder, port, every) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{_LOOPBACK}:{server.server_address[1]}/"
        try:
            say(console, f"watching {run} at {address}; Ctrl-C stops watching, not the run")
            if open_it:
                webbrowser.open(address)
            _follow(folder, every, console)
        except KeyboardInterrupt:
            return
        finally:
            server.shutdown()


def _follow(folder: RunFolder, every: float, console: Console) -> None:
    seen = 0
    while True:
        is_finished = folder.result.is_file() and folder.report.is_file()
        events = read_events(folder.events)
        metric = metric_of(events)
        for event in events[seen:]:
            say(console, event_line(event, metric))
        seen = len(events)
        if is_finished:
            return
        time.sleep(every)


def event_line(event: dict[str, Any], metric: MetricRecord) -> str:
    """An event of the log as a line that any terminal can show; `metric` is what scores are."""
    return printable(_line(event, metric))


def _line(event: dict[str, Any], metric: MetricRecord) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    match event["event"]:
        case "trial":
            trial = TrialSummary.model_validate(event["trial"])
            outcome = trial.status if trial.score is None else metric.shown(trial.score)
            on = "" if trial.data_fraction == 1 else f" on {100 * trial.data_fraction:g} % of the data"
            spent = f"{100 * event['fraction']:.0f} % of the budget"
            return f"{at} trial {trial.number}, {trial.label}: {outcome}{on}, {spent}"
        case "confirmation" | "longer":
            return f"{at} training {event['done']} of {event['total']}: {event['name']}"
        case "finished":
            return f"{at} {event['sentence']}"
        case "metric":
            return f"{at} scores are of {event['metric']['name']}"
        case _:
            return f"{at} {event['message']}"


def _serving(folder: RunFolder, port: int, every: float) -> ThreadingHTTPServer:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = (self.headers.get("Host") or "").partition(":")[0]  # browsers omit port 80
            if host not in {_LOOPBACK, "localhost"} or self.path != "/":  # such as another site's name for this machine
                self.send_error(404)
                return
            try:
                content = report_page(folder).encode()
            except AutoaugError as fault:
                self.send_error(500, explain=str(fault))
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            if not folder.result.is_file():
                self.send_header("Refresh", f"{every:g}")
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the reader closed the connection
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
            """Log nothing: the terminal shows the run."""

    try:
        return ThreadingHTTPServer((_LOOPBACK, port), Page)
    except (OSError, OverflowError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise OptionError(f"--port {port} cannot be used ({reason}); give another, or none for any free port") from None
