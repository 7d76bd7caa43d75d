"""What the documents say is so: the README's commands run, and its code too."""

from __future__ import annotations

import os
import re
import runpy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ended

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readmes_commands_run_in_order(command: Callable[..., Ended], tmp_path: Path) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("autoaug ")]
    assert len(commands) >= 6
    for line in commands:
        ended = command(*shlex.split(line)[1:], folder=tmp_path)
        assert ended.code == 0, f"{line}: {ended.stderr}"
    assert (tmp_path / "randaugment.py").is_file()
    assert (tmp_path / "runs/compare/report.html").is_file()


def test_the_readmes_code_runs() -> None:
    first, second, third, fourth = [run(block) for block in blocks("python")]
    assert first["soft_labels"].shape == (64, 10)
    assert second["target"]["label"] == 3
    assert third["augmented"].shape == (64, 3, 32, 32)
    assert fourth["result"].verdict == "no significant difference"


def run(block: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)  # the document under test
    return names


def test_the_readmes_scripts_and_links_exist() -> None:
    for script in re.findall(r"^(scripts/\w+)", README, re.MULTILINE):
        assert os.access(ROOT / script, os.X_OK)
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_table_of_exporters_is_what_the_code_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])  # which the script adds to
    runpy.run_path(str(ROOT / "scripts/exporter_table"), run_name="__main__")
    assert capsys.readouterr().out == (ROOT / "docs/exporters.md").read_text(), "run scripts/docs"


def test_the_chinese_readme_names_commands_that_exist(command: Callable[..., Ended], tmp_path: Path) -> None:
    names = re.findall(r"^autoaug ([a-z]+)", (ROOT / "README.zh.md").read_text(), re.MULTILINE)
    assert names
    for name in names:
        assert command(name, "--help", folder=tmp_path).code == 0, name
