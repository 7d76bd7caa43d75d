"""The fault suite: tests marked ``@pytest.mark.fault(HEADING, CASE)``, wherever they are, and what became of each case.

A pytest plugin. After a run it prints how many cases were survived. ``--fault-report FILE`` also adds the outcomes to a
JSON file, with the command and the commit; cases that were not run keep theirs. ``--full`` runs long forms: tens of
kills instead of a few, a million inputs instead of thousands.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HEADINGS = ("trials", "driver", "storage", "images", "audio", "video", "data", "properties", "security",
            "determinism", "load")  # fmt: skip
REPORT = Path(__file__).parents[2] / "reports/reliability.json"
_PLACE = "fault"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the long forms of fault cases")
    parser.addoption("--fault-report", type=Path, help="add the outcomes of fault cases to this JSON file")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers(_PLACE):
            heading, case = mark.args
            if heading not in HEADINGS:
                raise pytest.UsageError(f"{item.nodeid}: there is no heading {heading!r} of faults")
            item.user_properties.append((_PLACE, [heading, case]))


@pytest.fixture
def amount(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Callable[..., int]:
    """How much of something to do, such as kills: a few, or many with ``--full``; where few are none, the test is
    skipped without. It is noted in the report.
    """

    def choose(what: str, few: int, many: int) -> int:
        chosen = many if request.config.getoption("--full") else few
        if not chosen:
            pytest.skip("only with --full: see scripts/soak")
        record_property(what, chosen)
        return chosen

    return choose


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    cases = _outcomes(terminalreporter.stats)
    if not cases:
        return
    tried = {key: case for key, case in cases.items() if case["outcome"] != "not tried"}
    survived = sum(case["outcome"] == "survived" for case in tried.values())
    left = f"; {len(cases) - len(tried)} could not be tried here" if len(tried) < len(cases) else ""
    terminalreporter.section("faults")
    terminalreporter.line(f"{survived} of {len(tried)} fault cases survived{left}")
    if path := config.getoption("--fault-report"):
        _add(path, cases, config.getoption("--full"))


def _outcomes(stats: dict[str, list[Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """By heading and case: the outcome over all of its tests, the seconds that they took, and what they noted."""
    kinds_of = ("passed", "failed", "error", "skipped")
    # A file that cannot be imported is reported too, but has no test.
    reports = [(kind, one) for kind in kinds_of for one in stats.get(kind, []) if hasattr(one, "user_properties")]
    kinds, cases = defaultdict(set), defaultdict[tuple[str, str], dict[str, Any]](lambda: {"tests": 0, "seconds": 0.0})
    for kind, report in reports:
        noted = [value for name, value in report.user_properties if name == _PLACE]
        others = {name: value for name, value in report.user_properties if name != _PLACE}
        for key in {tuple(place) for place in noted}:
            case = cases[key]
            kinds[key].add(kind)
            case["tests"] += 1
            case["seconds"] = round(case["seconds"] + report.duration, 1)
            case.update(others)
    for key, case in cases.items():
        bad = kinds[key] & {"failed", "error"}
        case["outcome"] = "not survived" if bad else "survived" if "passed" in kinds[key] else "not tried"
    return dict(cases)


def _add(path: Path, cases: dict[tuple[str, str], dict[str, Any]], is_full: bool) -> None:
    """Add the outcomes to the file. A long form that was survived is not replaced by a short one that was."""
    described = ["git", "describe", "--always", "--abbrev=7", "--dirty=+", "--exclude=*"]
    here = Path(__file__).parent
    commit = subprocess.run(described, cwd=here, capture_output=True, text=True, check=False).stdout.strip()
    command = " ".join(["pytest", *(Path(word).name if word.startswith("/") else word for word in sys.argv[1:])])
    noted = read_report(path)
    for (heading, case), outcome in cases.items():
        before = noted.setdefault(heading, {}).get(case, {})
        is_longer = (
            "--full" in before.get("command", "")
            and not is_full
            and outcome["outcome"] in (before["outcome"], "not tried")
        )
        if not is_longer:
            noted[heading][case] = {**outcome, "commit": commit, "command": command}
    known = set(written_cases())
    kept = {
        heading: {case: one for case, one in sorted(noted.get(heading, {}).items()) if (heading, case) in known}
        for heading in HEADINGS
    }
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def read_report(path: Path = REPORT) -> dict[str, dict[str, dict[str, Any]]]:
    """The report: by heading and case."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def written_cases() -> Iterator[tuple[str, str]]:
    """All cases of the suite, heading and name, as the tests write them."""
    for path in sorted(Path(__file__).parents[1].rglob("test_*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == f"pytest.mark.{_PLACE}":
                heading, case = (ast.literal_eval(word) for word in call.args)
                yield heading, case
