"""What an earlier version wrote is refused in one line, and left as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[1] / "recorded/finished"


@pytest.mark.parametrize(
    ("file", "words", "cure"),
    [
        ("config.yaml", ["report", "run"], "begin a new run"),
        ("config.yaml", ["resume", "run"], "begin a new run"),
        ("result.json", ["report", "run"], "begin a new run"),
        ("result.json", ["resume", "run"], "begin a new run"),
        ("policy.yaml", ["export", "run/policy.yaml", "--to", "json"], "use the policy of a new search"),
    ],
)
@pytest.mark.fault("driver", "a run of an older version")
def test_a_run_of_an_earlier_version_is_refused_in_one_line(
    file: str, words: list[str], cure: str, tmp_path: Path, refused: Callable[..., str]
) -> None:
    path = shutil.copytree(RECORDED, tmp_path / "run") / file
    older = path.read_text().replace("format: 2", "format: 1").replace('"format": 2', '"format": 1')
    path.write_text(older)
    said = refused(*words, folder=tmp_path)
    assert f"has format 1, of an earlier version of autoaug, but this one reads 2; {cure}" in said
    assert file in said
    assert path.read_text() == older
    assert not (tmp_path / "run/report.html").exists()
