"""What the documents say is so: the README's commands run, and its code too."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autoaug.policy.loading import builtin_names
from autoaug.search.strategies import STRATEGIES
from tests.conftest import PATIENCE
from tests.samples import operators_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_readmes_commands_run_in_order(tmp_path: Path) -> None:
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("autoaug ")]
    assert len(commands) >= 6
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in commands:
        arguments = [sys.executable, "-m", "autoaug", *shlex.split(command)[1:]]
        ended = subprocess.run(
            arguments, cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=PATIENCE
        )
        assert ended.returncode == 0, f"{command}: {ended.stderr}"
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


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_is_in_the_documents(name: str) -> None:
    assert all(f"`{name}`" in (ROOT / document).read_text() for document in ("README.md", "CHANGELOG.md"))


@pytest.mark.parametrize("name", builtin_names())
def test_the_changelog_names_every_policy(name: str) -> None:
    assert f"`{name}`" in (ROOT / "CHANGELOG.md").read_text()


def test_the_changelog_counts_the_operators() -> None:
    assert f"{len(operators_of())} image operators" in (ROOT / "CHANGELOG.md").read_text()


def test_the_table_of_exporters_is_what_the_code_says() -> None:
    command = [sys.executable, str(ROOT / "scripts/exporter_table")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == (ROOT / "docs/exporters.md").read_text(), "run scripts/docs"


def test_the_chinese_readme_names_commands_that_exist() -> None:
    text = (ROOT / "README.zh.md").read_text()
    for command in re.findall(r"^autoaug ([a-z]+)", text, re.MULTILINE):
        ended = subprocess.run([sys.executable, "-m", "autoaug", command, "--help"], capture_output=True, check=False)
        assert ended.returncode == 0, command
