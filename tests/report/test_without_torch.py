"""A report is written where torch is not wanted: it needs none of what trained the run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from autoaug.errors import RunError
from autoaug.report.reading import read_finished
from autoaug.runs.folder import RunFolder
from tests.conftest import PATIENCE

RECORDED = Path(__file__).parents[1] / "recorded"
PROGRAM = """
import sys
from autoaug.cli.main import main
for folder in sys.argv[1:]:
    sys.argv = ["autoaug", "report", folder]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
    assert "torch" not in sys.modules, folder
"""


def test_a_report_is_written_without_torch(tmp_path: Path) -> None:
    folders = [shutil.copytree(RECORDED / run, tmp_path / run) for run in ("finished", "unfinished")]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *folders], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert all((folder / "report.html").is_file() for folder in folders)


def test_a_report_needs_no_operators_but_going_on_does(tmp_path: Path) -> None:
    """Such as of a plug-in that is not installed here."""
    folder = RunFolder(shutil.copytree(RECORDED / "finished", tmp_path / "run"))
    config = yaml.safe_load(folder.config.read_text())
    config["space"]["families"] = {"own": {"Swirl": 0.5}}
    folder.config.write_text(yaml.safe_dump(config))
    assert read_finished(folder).config.space is not None
    with pytest.raises(RunError, match="unknown operator 'Swirl'"):
        RunFolder.open(folder.root)
