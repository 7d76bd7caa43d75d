"""The house: its listing, its sizes, and that core rooms know no modality by name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from autoaug.modalities.registry import all_modalities

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "autoaug"
ROOMS = {
    "cli", "data", "engine", "evaluation", "exporters", "functional", "generate", "modalities", "pipeline", "policy",
    "report", "results", "runs", "search", "training",
}  # fmt: skip
MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 400, 60, 8
#: What is longer or takes more, and why.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
MANY_PARAMETERS: dict[str, str] = {}
#: Rooms that know no modality by name; "text" and "translation" are too common to be looked for: labels are these, too.
CORE = ROOMS - {"modalities"}
ORDINARY = {"text", "translation"}
#: What may stand beside the word all the same: a property of CSS, and what other programs call an option.
ALLOWED = re.compile(r"image-rendering|--image-size")


def sources() -> Iterator[tuple[str, str]]:
    """The files of code, with what is in them, except exported examples; scripts have no suffix."""
    for folder in ("autoaug", "tests", "benchmarks", "examples"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path.parent.name != "exported":
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "scripts").iterdir()):
        if (text := path.read_text(encoding="utf-8")).startswith("#!/usr/bin/env python3"):
            yield str(path.relative_to(ROOT)), text


@cache
def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (f"{name}:{node.name}", node)
        for name, text in sources()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    given = node.args
    names = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs) if a.arg not in {"self", "cls"}]
    return len(names)


def test_the_listing_is_the_plan() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == ROOMS | {"utils"}
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}
    assert len(files) <= 8, files


def test_the_readme_lists_every_room() -> None:
    listed = re.findall(r"^\| `(\w+)/` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(ROOMS | {"utils"})


def test_files_are_short() -> None:
    offenders = {name for name, text in sources() if len(text.splitlines()) > MOST_LINES}
    assert offenders == set(LONG_FILES)


def test_functions_fit_a_screen() -> None:
    offenders = {name for name, node in functions() if (node.end_lineno or 0) - node.lineno + 1 > MOST_FUNCTION_LINES}
    assert offenders == set(LONG_FUNCTIONS)


def test_functions_take_few_parameters() -> None:
    assert {name for name, node in functions() if parameters(node) > MOST_PARAMETERS} == set(MANY_PARAMETERS)


def core_texts() -> Iterator[tuple[str, str]]:
    """Code and templates of the core rooms, and of the files beside them."""
    for path in sorted([*PACKAGE.glob("*.py"), *(p for room in CORE for p in (PACKAGE / room).rglob("*"))]):
        if path.is_file() and path.suffix in {".py", ".html", ".md", ".txt", ".js", ".css"}:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(all_modalities()) - ORDINARY))
def test_no_core_room_names_a_modality(name: str) -> None:
    word = re.compile(rf"\b{re.escape(name)}s?\b", re.IGNORECASE)
    offenders = [
        f"{path}:{n}"
        for path, text in core_texts()
        for n, line in enumerate(text.split("\n"), 1)
        if word.search(line) and not ALLOWED.search(line)
    ]
    assert not offenders, f"{len(offenders)} places, such as {offenders[:8]}"


def test_tests_mirror_the_rooms() -> None:
    for path in sorted((ROOT / "tests").rglob("*")):
        room = path.relative_to(ROOT / "tests").parts[0]
        if path.is_dir() and path.name != "__pycache__":
            assert room in ROOMS | {"utils", "conformance", "faults", "toy", "recorded", "__pycache__"}, path
