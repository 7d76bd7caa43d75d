"""What all trials of a search have in common."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tasks import small_task


def test_the_users_network_is_imported_before_the_first_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the first trial in each process pays for the import, and may be given up for it."""
    monkeypatch.chdir(tmp_path)
    Path("imported_at_warm_up.py").write_text("def build(channels, classes): ...\n")
    setting = replace(small_task(), model="imported_at_warm_up:build")
    assert "imported_at_warm_up" not in sys.modules
    setting.warm_up()
    assert "imported_at_warm_up" in sys.modules
